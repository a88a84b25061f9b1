/// What a key, or all keys of a tenant together, may do. A default value allows everything.
public struct AccessRules: Sendable, Equatable {
    /// Requests per minute; nil: no limit.
    public var requestsPerMinute: Int?
    /// Tasks that run at once; nil: no limit.
    public var concurrency: Int?
    /// The models that creates may name; empty: all.
    public var models: [String]
    /// The addresses that requests may come from, each an IP address or a range (`192.0.2.0/24`); empty: all.
    public var addresses: [String]
    /// When it ends, in milliseconds since 1970; nil: never.
    public var expiresAt: Int64?
    /// Whether it is switched off for now.
    public var isDisabled: Bool

    public init(
        requestsPerMinute: Int? = nil, concurrency: Int? = nil, models: [String] = [], addresses: [String] = [],
        expiresAt: Int64? = nil, isDisabled: Bool = false
    ) {
        self.requestsPerMinute = requestsPerMinute
        self.concurrency = concurrency
        self.models = models
        self.addresses = addresses
        self.expiresAt = expiresAt
        self.isDisabled = isDisabled
    }
}

/// What a tenant may do and use.
public struct TenantRules: Sendable, Equatable {
    /// The tenant.
    public var name: String
    /// What holds for all of its keys together.
    public var access: AccessRules
    /// The zone in which its days begin, as the IANA time zone database names it, such as `Europe/Berlin`.
    public var timeZone: String
    /// What its tasks may use. No two have the same metric and period.
    public var budgets: [Budget]

    public init(
        name: String, access: AccessRules = AccessRules(), timeZone: String = "UTC", budgets: [Budget] = []
    ) {
        self.name = name
        self.access = access
        self.timeZone = timeZone
        self.budgets = budgets
    }
}
