internal import Base
internal import EventLoop
internal import Gateway
internal import HTTPClient

/// Sends callbacks to receivers that clients named, over its own connections and under a policy that checks every
/// address. Another one sends alerts to the operator's webhook.
struct HTTPCallbackSender: CallbackSender {
    private let clients: [(loop: EventLoop, client: HTTPClient)]
    private let policy: AddressPolicy

    /// How many connections a loop may have if there are enough descriptors.
    static let connections = 256

    /// Makes a client for each loop that callbacks are sent from.
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

    /// Makes a client for the operator's own webhook, which may be at any address.
    init(toOperatorFrom loop: EventLoop) throws {
        policy = .any
        var configuration = HTTPClientConfiguration()
        configuration.maximumConnections = 1
        clients = [(loop, try HTTPClient(loop: loop, configuration: configuration))]
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

    /// Closes all connections.
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

    /// The answer is discarded: this limits how much of it is read.
    private static let largestAnswer = 16 << 20
}

extension AddressRefusal {
    /// Translates a refusal of the HTTP client.
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
