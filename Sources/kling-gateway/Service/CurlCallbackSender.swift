internal import Base
internal import EventLoop
internal import Gateway
internal import HTTPClient

/// Calls receivers that clients have named: over connections of their own, under a policy that judges every address.
struct CurlCallbackSender: CallbackSender {
    private let clients: [(loop: EventLoop, client: HTTPClient)]
    private let policy: AddressPolicy

    /// How many connections a loop may have where descriptors are no matter.
    static let connections = 256

    /// A client for each loop that callbacks are sent from.
    /// - Parameter allowed: addresses that may be called besides those of the public internet.
    init(loops: [EventLoop], _ pools: DescriptorPlan.Pools = .wanted, allowing allowed: [CIDR]) throws {
        policy = .publicInternet(allowing: allowed)
        var configuration = HTTPClientConfiguration()
        configuration.maximumConnections = Self.connections
        configuration.maximumConnectionsPerHost = 10
        configuration.maximumIdleConnections = 64
        configuration.limit(to: pools.callbacks)
        clients = try loops.map { ($0, try HTTPClient(loop: $0, configuration: configuration)) }
    }

    func send(_ message: CallbackMessage) async throws(CallbackFailure) -> CallbackReply {
        guard let client = clients.first(where: { $0.loop.isCurrent })?.client else {
            preconditionFailure("callbacks are sent from an event loop")
        }
        do {
            let response = try await client.execute(request(message))
            return CallbackReply(status: response.status, retryAfter: response.headers["Retry-After"])
        } catch {
            throw CallbackFailure(
                error.detail.isEmpty ? error.code.rawValue : "\(error.code.rawValue): \(error.detail)",
                isCancelled: error.code == .cancelled || error.code == .shutDown)
        }
    }

    func refusal(of url: String) -> AddressRefusal? { AddressRefusal(policy.refusal(of: url)) }

    /// Lets go of all connections.
    func shutdown() {
        for (_, client) in clients { client.shutdown() }
    }

    private func request(_ message: CallbackMessage) -> HTTPClientRequest {
        var request = HTTPClientRequest(.post, message.url)
        request.headers = message.headers
        request.body = [ByteSlice(Bytes(message.body), 0..<message.body.count)]
        request.connectTimeout = message.timeout
        request.timeout = message.timeout
        request.maximumAnswer = Self.largestAnswer
        request.keepsAnswer = false
        request.addressPolicy = policy
        return request
    }

    /// Nothing of an answer is kept: this bounds what is read of it.
    private static let largestAnswer = 16 << 20
}

extension AddressRefusal {
    /// The same in the gateway's words.
    init?(_ refusal: AddressPolicy.Refusal?) {
        guard let refusal else { return nil }
        self =
            switch refusal {
            case .malformed: .malformed
            case .scheme: .scheme
            case .userInfo: .userInformation
            case .fragment: .fragment
            case .address: .address
            }
    }
}
