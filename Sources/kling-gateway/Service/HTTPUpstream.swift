internal import EventLoop
internal import Gateway
internal import HTTPClient

/// Calls Kling through `HTTPClient`, over the connections of the calling loop.
struct HTTPUpstream: KlingUpstream {
    private let clients: [(loop: EventLoop, client: HTTPClient)]

    /// How many connections a loop may have if there are enough descriptors.
    static let connections = HTTPClientConfiguration().maximumConnections

    /// Makes a client for each loop.
    init(loops: [EventLoop], _ pools: DescriptorPlan.Pools) throws {
        var configuration = HTTPClientConfiguration()
        configuration.limit(to: pools.upstream)
        clients = try loops.map { ($0, try HTTPClient(loop: $0, configuration: configuration)) }
    }

    func send(_ call: KlingCall) async throws(KlingFailure) -> KlingReply {
        guard let client = clients.first(where: { $0.loop.isCurrent })?.client else {
            preconditionFailure("Kling is called from an event loop")
        }
        do {
            let response = try await client.execute(request(call))
            return KlingReply(status: response.status, body: response.body)
        } catch {
            throw KlingFailure(
                error.code.fault, wasSent: error.wasSent, connection: error.connection,
                detail: "\(error.code.rawValue): \(error.detail)")
        }
    }

    /// Closes all connections.
    func shutdown() {
        for (_, client) in clients { client.shutdown() }
    }

    private func request(_ call: KlingCall) -> HTTPClientRequest {
        var request = HTTPClientRequest(call.method == .post ? .post : .get, call.account.baseURL + call.path)
        request.headers = [
            (name: "Authorization", value: "Bearer " + call.token),
            (name: "Content-Type", value: "application/json"),
            (name: "User-Agent", value: userAgent),
        ]
        request.body = call.body
        // One lost HTTP/2 connection would leave the outcome of every create on it unknown.
        request.version = call.kind == .create ? .http1 : .http2WhereOffered
        request.timeout = call.timeout
        request.maximumAnswer = call.kind == .list ? Self.largestList : Self.largestAnswer
        request.caFile = call.account.caFile
        request.proxy = call.account.proxy
        return request
    }

    /// One task's answer is about a kilobyte.
    private static let largestAnswer = 1 << 20
    /// A list has up to 500 of them.
    private static let largestList = 8 << 20
}

/// The `User-Agent` of calls to Kling.
private let userAgent = "kling-gateway/\(Version.number)"

extension HTTPClientError.Code {
    /// The gateway's fault for this code.
    fileprivate var fault: UpstreamFault {
        switch self {
        case .nameLookup, .connect, .tls, .addressRefused: .unreachable
        case .timeout: .timeout
        case .closed, .sendInterrupted: .interrupted
        case .tooLarge: .tooLarge
        case .malformed: .malformed
        case .cancelled, .shutDown: .cancelled
        case .invalidRequest, .other: .other
        }
    }
}

extension HTTPClientError {
    /// Why there was no connection.
    fileprivate var connection: ConnectionFault? {
        switch code {
        case .nameLookup: .nameLookup
        case .connect, .addressRefused: .connect
        case .tls: .tls
        case .timeout where !wasSent: .timeout
        default: nil
        }
    }
}
