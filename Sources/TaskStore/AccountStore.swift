/// What the gateway has learned about the upstream accounts, kept so that a restart does not learn it again at the
/// clients' cost.
public protocol AccountStore: Sendable {
    /// Returns what is known about every account that was ever recorded.
    func states() async throws(StoreError) -> [AccountStateRecord]

    /// Stores what is known about an account, replacing what was stored before.
    func keep(_ state: AccountStateRecord) async throws(StoreError)
}

/// What the gateway has learned about an account. Times are milliseconds since 1970.
public struct AccountStateRecord: Sendable, Equatable {
    /// The account's name in the configuration.
    public var name: String
    /// Kling's service code that disabled the account until a probe succeeds; nil if it is not disabled.
    public var disabledBy: Int?
    /// Kling's message for that code.
    public var reason: String?
    /// Models that Kling refuses to this account with code 1103.
    public var refusedModels: [String]
    /// How many tasks may run at once, as learned from code 1303.
    public var learnedLimit: Int?
    /// Whether the account finds tasks by the gateway's own id; nil if not known yet.
    public var hasLookup: Bool?
    /// Whether the account refuses a second create with the same `external_task_id`; nil if not known yet.
    public var hasUniqueIDs: Bool?
    /// The account that this was learned about, as a digest of its host and key: the name may later stand for another
    /// one. Nil in records of older versions, which did not store it.
    public var identity: Int64?
    /// The one of Kling's APIs that the account was found to speak; nil if not known yet.
    public var api: String?
    /// Whether the account has ever worked with the host and key of ``identity``.
    public var wasReached: Bool
    /// What was found to be wrong with the account when it was last checked; nil if nothing was.
    public var problem: String?
    public var updatedAt: Int64
    /// Whether another process that serves from the store has written it.
    public var isForeign = false

    public init(
        name: String, disabledBy: Int? = nil, reason: String? = nil, refusedModels: [String] = [],
        learnedLimit: Int? = nil, hasLookup: Bool? = nil, hasUniqueIDs: Bool? = nil, identity: Int64? = nil,
        api: String? = nil, wasReached: Bool = false, problem: String? = nil, updatedAt: Int64
    ) {
        self.name = name
        self.disabledBy = disabledBy
        self.reason = reason
        self.refusedModels = refusedModels
        self.learnedLimit = learnedLimit
        self.hasLookup = hasLookup
        self.hasUniqueIDs = hasUniqueIDs
        self.identity = identity
        self.api = api
        self.wasReached = wasReached
        self.problem = problem
        self.updatedAt = updatedAt
    }
}
