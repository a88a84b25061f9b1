internal import EventLoop
internal import Gateway
internal import HTTPClient

/// Calls Kling through `HTTPClient`, over the connections of the calling loop.
struct HTTPUpstream: KlingUpstream {
    private let clients: [UpstreamClient]

    /// How many connections a loop may have if there are enough descriptors.
    static let connections = HTTPClientConfiguration().maximumConnections

    /// Makes a client for each loop.
    init(loops: [EventLoop], _ pools: DescriptorPlan.Pools) throws {
        var configuration = HTTPClientConfiguration()
        configuration.limit(to: pools.upstream)
        clients = try loops.map { try UpstreamClient($0, configuration) }
    }

    func send(_ call: KlingCall) async throws(KlingFailure) -> KlingReply {
        guard let client = clients.first(where: { $0.loop.isCurrent }) else {
            preconditionFailure("Kling is called from an event loop")
        }
        do {
            let response = try await client.http.execute(client.request(call))
            return KlingReply(status: response.status, body: response.body)
        } catch {
            throw KlingFailure(
                error.code.fault, wasSent: error.wasSent, connection: error.connection,
                detail: "\(error.code.rawValue): \(error.detail)")
        }
    }

    /// Closes all connections.
    func shutdown() {
        for client in clients { client.http.shutdown() }
    }
}

/// A loop's client, and the requests that it prepares once.
private final class UpstreamClient: @unchecked Sendable {
    // @unchecked: `creates` is only accessed on the loop, where the callers of `request` run.

    /// What all creates of an account have in common.
    private final class Create {
        let account: Account
        let token: String
        let path: String
        let request: HTTPClientRequest

        init(_ call: KlingCall, _ request: HTTPClientRequest) {
            (account, token, path, self.request) = (call.account, call.token, call.path, request)
        }
    }

    let loop: EventLoop
    let http: HTTPClient
    private var creates: [ObjectIdentifier: Create] = [:]

    init(_ loop: EventLoop, _ configuration: HTTPClientConfiguration) throws {
        self.loop = loop
        http = try HTTPClient(loop: loop, configuration: configuration)
    }

    /// The request of a call. For a create, nothing but the body is made anew until the account's token changes.
    func request(_ call: KlingCall) -> HTTPClientRequest {
        var request = call.kind == .create ? create(call).request : Self.made(for: call)
        request.body = call.body
        (request.timeout, request.isCancellable) = (call.timeout, call.isCancellable)
        return request
    }

    private func create(_ call: KlingCall) -> Create {
        let account = ObjectIdentifier(call.account)
        if let known = creates[account], known.token == call.token, known.path == call.path { return known }
        let create = Create(call, Self.made(for: call))
        creates[account] = create
        return create
    }

    /// A new request, without what only one call has.
    private static func made(for call: KlingCall) -> HTTPClientRequest {
        var request = HTTPClientRequest(call.method == .post ? .post : .get, call.account.baseURL + call.path)
        request.prepared = PreparedFields([
            (name: "Authorization", value: "Bearer " + call.token),
            (name: "Content-Type", value: "application/json"),
            (name: "User-Agent", value: userAgent),
        ])
        // One lost HTTP/2 connection would leave the outcome of every create on it unknown.
        request.version = call.kind == .create ? .http1 : .http2WhereOffered
        request.maximumAnswer = call.kind == .list ? largestList : largestAnswer
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
