public import Base

/// The sender of a request, known by its key.
public struct Principal: Sendable, Hashable {
    /// The limits of a key; `nil` is no limit.
    public struct Limits: Sendable, Hashable {
        /// Requests per minute.
        public var requestsPerMinute: Int?
        /// Tasks that run at once.
        public var concurrency: Int?

        /// Creates limits.
        public init(requestsPerMinute: Int? = nil, concurrency: Int? = nil) {
            self.requestsPerMinute = requestsPerMinute
            self.concurrency = concurrency
        }
    }

    /// What a key may be used for; an empty list allows everything.
    public struct Scope: Sendable, Hashable {
        /// The models that its creates may name.
        public var models: [String]
        /// The addresses that its requests may come from.
        public var addresses: [CIDR]

        /// Creates a scope.
        public init(models: [String] = [], addresses: [CIDR] = []) {
            self.models = models
            self.addresses = addresses
        }
    }

    /// The tenant whose tasks the request may see.
    public let tenant: String
    /// The id of the key that was presented; limits apply per key.
    public let keyID: String
    public let limits: Limits
    public internal(set) var scope = Scope()
}

extension Principal.Scope {
    /// Refuses a request from an address that is not allowed.
    func check(_ client: @autoclosure () -> ClientAddress) throws(GatewayError) {
        if addresses.isEmpty { return }
        if let address = client().address, addresses.contains(where: { $0.contains(address) }) { return }
        throw GatewayError(
            .forbidden,
            "This key may not be used from this address. Call from where it may, or ask the gateway's operator.")
    }

    /// Whether creates may name the model.
    func allows(_ model: String) -> Bool { models.isEmpty || models.contains(model) }

    /// Refuses a create with a model that is not allowed.
    func check(model: String) throws(GatewayError) {
        if allows(model) { return }
        throw GatewayError(
            .forbidden,
            "This key may not use the model \(model). Send one that it may, or ask the gateway's operator: "
                + models.joined(separator: ", ") + ".", parameter: "model_name")
    }
}
