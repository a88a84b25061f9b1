/// What was learned of the upstream accounts, so that a restart does not learn it again at the clients' cost.
public protocol AccountStore: Sendable {
    /// What is known of every account that ever was.
    func accountStates() async throws(StoreError) -> [AccountStateRecord]

    /// Keeps what is known of an account, in place of what was.
    func keep(_ state: AccountStateRecord) async throws(StoreError)
}

/// What was learned of an account. Times are milliseconds since 1970.
public struct AccountStateRecord: Sendable, Equatable {
    /// The account's name in the configuration.
    public var name: String
    /// Why nothing may be sent to it until a probe succeeds: Kling's service code; nil: it isn't disabled.
    public var disabledBy: Int?
    /// Kling's words with that code.
    public var reason: String?
    /// Models that Kling refuses this account, by 1103.
    public var refusedModels: [String]
    /// How many tasks run at once, as learned from 1303.
    public var learnedLimit: Int?
    /// Whether tasks are found by the gateway's own id; nil: not known yet.
    public var hasLookup: Bool?
    /// Whether a second create of one `external_task_id` is refused; nil: not known yet.
    public var hasUniqueIDs: Bool?
    /// Of which account all this was learned, as a digest of its host and key: the name may come to stand for another one.
    /// Nil: an older version did not say.
    public var identity: Int64?
    /// Which of Kling's APIs it was found to speak; nil: not known yet.
    public var api: String?
    public var updatedAt: Int64

    public init(
        name: String, disabledBy: Int? = nil, reason: String? = nil, refusedModels: [String] = [],
        learnedLimit: Int? = nil, hasLookup: Bool? = nil, hasUniqueIDs: Bool? = nil, identity: Int64? = nil,
        api: String? = nil, updatedAt: Int64
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
        self.updatedAt = updatedAt
    }
}
