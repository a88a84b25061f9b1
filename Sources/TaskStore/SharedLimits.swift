/// How many tasks may run at once, counted over all processes that serve from a store. Checked by stores that several
/// processes share, in the transaction that makes a task or assigns it.
public struct SharedLimits: Sendable, Equatable {
    /// Of the account that the task is assigned to; nil: no limit.
    public var account: Int?
    /// Of the key.
    public var key: Int?
    /// Of the tenant.
    public var tenant: Int?
    /// Tasks that were created before this time do not count, in milliseconds since 1970.
    public var since: Int64

    public init(account: Int? = nil, key: Int? = nil, tenant: Int? = nil, since: Int64) {
        (self.account, self.key, self.tenant, self.since) = (account, key, tenant, since)
    }
}

/// What a store that several processes share checks in the transaction that makes a task.
public struct SharedChecks: Sendable, Equatable {
    /// The limits of running tasks; nil: none.
    public var limits: SharedLimits?
    /// The creates of other processes that the task must not be the same as; nil: none.
    public var rivals: RivalCreates?

    public init(limits: SharedLimits? = nil, rivals: RivalCreates? = nil) {
        (self.limits, self.rivals) = (limits, rivals)
    }
}

extension NewTask {
    /// What has to be locked while its limits and its rivals are checked.
    var sharedLocks: [StoreLock] {
        var locks: [StoreLock] = []
        if shared.rivals != nil, let content { locks.append(.content(content, tenant: tenant)) }
        guard let limits = shared.limits else { return locks }
        if limits.account != nil, let assignment { locks.append(.account(assignment.account)) }
        if limits.key != nil || limits.tenant != nil { locks.append(.tenant(tenant)) }
        return locks
    }
}
