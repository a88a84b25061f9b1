public import Base

/// Who a request comes from, as the gateway knows it by its key.
public struct Principal: Sendable, Hashable {
    /// What a key may do per unit of time; `nil` is no limit.
    public struct Limits: Sendable, Hashable {
        /// Requests in any minute.
        public var requestsPerMinute: Int?
        /// Tasks that run at once.
        public var concurrency: Int?

        /// Names the limits.
        public init(requestsPerMinute: Int? = nil, concurrency: Int? = nil) {
            self.requestsPerMinute = requestsPerMinute
            self.concurrency = concurrency
        }
    }

    /// What a key is good for; an empty list forbids nothing.
    public struct Scope: Sendable, Hashable {
        /// The models that its creates may name.
        public var models: [String]
        /// Where its requests may come from.
        public var addresses: [CIDR]

        /// Names what is allowed.
        public init(models: [String] = [], addresses: [CIDR] = []) {
            self.models = models
            self.addresses = addresses
        }
    }

    /// Whose tasks the request may see.
    public let tenant: String
    /// The key that was shown; limits count per key.
    public let keyID: String
    public let limits: Limits
    public internal(set) var scope = Scope()
}

extension Principal.Scope {
    /// Refuses a request that comes from elsewhere.
    func check(_ client: @autoclosure () -> ClientAddress) throws(GatewayError) {
        if addresses.isEmpty { return }
        if let address = client().address, addresses.contains(where: { $0.contains(address) }) { return }
        throw GatewayError(
            .forbidden,
            "This key may not be used from this address. Call from where it may, or ask the gateway's operator.")
    }

    /// Whether creates may name the model.
    func isFor(_ model: String) -> Bool { models.isEmpty || models.contains(model) }

    /// Refuses a create with another model.
    func check(model: String) throws(GatewayError) {
        if isFor(model) { return }
        throw GatewayError(
            .forbidden,
            "This key may not use the model \(model). Send one that it may, or ask the gateway's operator: "
                + models.joined(separator: ", ") + ".", parameter: "model_name")
    }
}
