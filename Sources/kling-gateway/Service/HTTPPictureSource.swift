internal import Base
internal import EventLoop
internal import Gateway
internal import HTTPClient

/// Fetches pictures over its own connections. For URLs that clients named, a policy checks every address.
///
/// Most gateways never fetch any, so a loop's client is only made when it is first needed.
final class HTTPPictureSource: PictureSource {
    private struct State {
        var clients: [Int: HTTPClient] = [:]
        var isShutDown = false
    }

    private let loops: [EventLoop]
    private let policy: AddressPolicy
    private let state = Lock(State())

    private let configuration: HTTPClientConfiguration

    /// How many connections a loop may have if there are enough descriptors.
    static let connections = 64

    /// Makes a source that fetches from `loops`.
    /// - Parameter allowed: addresses that clients' URLs may have besides those of the public internet.
    init(loops: [EventLoop], _ pools: DescriptorPlan.Pools, allowing allowed: [CIDR]) {
        self.loops = loops
        var configuration = HTTPClientConfiguration()
        configuration.maximumConnections = Self.connections
        configuration.maximumConnectionsPerHost = 8
        configuration.maximumIdleConnections = 16
        configuration.limit(to: pools.pictures)
        self.configuration = configuration
        policy = .publicInternet(allowing: allowed)
    }

    func fetch(_ picture: PictureFetch) async throws(PictureFetchFailure) -> PictureReply {
        do {
            let response = try await client().execute(request(picture))
            return PictureReply(
                status: response.status, location: response.redirectTarget(from: picture.url), body: response.body)
        } catch {
            throw PictureFetchFailure(error.code.reason, detail: "\(error.code.rawValue): \(error.detail)")
        }
    }

    func refusal(of url: String) -> AddressRefusal? { AddressRefusal(policy.refusal(of: url)) }

    /// Closes all connections.
    func shutdown() {
        let clients = state.withLock { state in
            state.isShutDown = true
            defer { state.clients = [:] }
            return Array(state.clients.values)
        }
        for client in clients { client.shutdown() }
    }

    private func client() throws(HTTPClientError) -> HTTPClient {
        guard let index = loops.firstIndex(where: \.isCurrent) else {
            preconditionFailure("pictures are fetched from an event loop")
        }
        let (made, isShutDown) = state.withLock { ($0.clients[index], $0.isShutDown) }
        if let made { return made }
        if isShutDown { throw HTTPClientError(.shutDown, wasSent: false) }
        // No other task makes this client: this one occupies the loop until then.
        let client = try HTTPClient(loop: loops[index], configuration: configuration)
        state.withLock { $0.clients[index] = client }
        return client
    }

    private func request(_ picture: PictureFetch) -> HTTPClientRequest {
        var request = HTTPClientRequest(.get, picture.url)
        request.headers = [
            // CDNs choose the picture's format by this field.
            (name: "Accept", value: "image/jpeg, image/png, image/webp;q=0.5, */*;q=0.1"),
            (name: "User-Agent", value: callbackUserAgent),
        ]
        request.connectTimeout = min(request.connectTimeout, picture.timeout)
        request.timeout = picture.timeout
        request.maximumAnswer = picture.limit
        switch picture.origin {
        case .client: request.addressPolicy = policy
        case .account(let caFile): request.caFile = caFile
        }
        return request
    }
}

extension HTTPClientError.Code {
    /// The gateway's reason for this code.
    fileprivate var reason: PictureFetchFailure.Reason {
        switch self {
        case .nameLookup: .nameLookup
        case .connect, .tls: .unreachable
        case .addressRefused: .address
        case .timeout: .timeout
        case .tooLarge: .tooLarge
        case .cancelled, .shutDown: .cancelled
        case .closed, .sendInterrupted, .malformed, .invalidRequest, .other: .broken
        }
    }
}
