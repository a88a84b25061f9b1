public import Base

/// The sender of a request, known by its key.
///
/// It is on the heap, because each request passes it through a dozen calls.
public final class Principal: Sendable, Hashable {
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
    public let scope: Scope
    /// What holds for all keys of the tenant.
    let policy: TenantPolicy

    init(tenant: String, keyID: String, limits: Limits, scope: Scope = Scope(), policy: TenantPolicy = .none) {
        (self.tenant, self.keyID, self.limits) = (tenant, keyID, limits)
        (self.scope, self.policy) = (scope, policy)
    }

    public static func == (one: Principal, other: Principal) -> Bool {
        one.tenant == other.tenant && one.keyID == other.keyID && one.limits == other.limits && one.scope == other.scope
            && one.policy === other.policy
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(keyID) }

    /// Refuses a request from an address that the key or its tenant may not use.
    func check(_ client: @autoclosure () -> ClientAddress) throws(GatewayError) {
        if scope.addresses.isEmpty, policy.scope.addresses.isEmpty { return }
        let client = client()
        try scope.check(client)
        try policy.scope.check(client)
    }

    /// Whether creates may name the model.
    func allows(_ model: String) -> Bool { scope.allows(model) && policy.scope.allows(model) }

    /// Refuses a create with a model that the key or its tenant may not use.
    func check(model: String) throws(GatewayError) {
        try scope.check(model: model)
        try policy.scope.check(model: model)
    }
}

extension Principal.Scope {
    fileprivate func check(_ client: ClientAddress) throws(GatewayError) {
        if addresses.isEmpty { return }
        if let address = client.address, addresses.contains(where: { $0.contains(address) }) { return }
        throw GatewayError(
            .forbidden,
            "This key may not be used from this address. Call from where it may, or ask the gateway's operator.")
    }

    fileprivate func allows(_ model: String) -> Bool { models.isEmpty || models.contains(model) }

    fileprivate func check(model: String) throws(GatewayError) {
        if allows(model) { return }
        throw GatewayError(
            .forbidden,
            "This key may not use the model \(model). Send one that it may, or ask the gateway's operator: "
                + models.joined(separator: ", ") + ".", parameter: "model_name")
    }
}

extension Principal {
    /// Whether its requests are counted: the key or the tenant has a limit of requests per minute.
    var hasRate: Bool { limits.requestsPerMinute != nil || policy.limits.requestsPerMinute != nil }
}
