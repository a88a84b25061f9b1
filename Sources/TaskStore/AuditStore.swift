/// The changes that operators have made. Entries are only added, never changed or removed.
public protocol AuditStore: Sendable {
    /// Returns entries, newest first.
    /// - Parameters:
    ///   - number: only entries before this one; nil: from the newest on.
    ///   - target: only entries about this key, tenant, task or delivery; nil: all.
    func entries(before number: Int64?, target: String?, limit: Int) async throws(StoreError) -> [AuditRecord]
}

/// A change that an operator makes. It contains no secrets.
public struct AuditEntry: Sendable, Equatable {
    /// Who makes the change, such as `token` or `command:root`.
    public var who: String
    /// Where it comes from: an address, or `local`.
    public var from: String
    /// What is done, such as `keys.create`.
    public var action: String
    /// The name or id of what is changed.
    public var target: String
    /// What it was before, as JSON; nil if it did not exist.
    public var before: String?
    /// What it is now, as JSON; nil if it no longer exists.
    public var after: String?
    /// Milliseconds since 1970.
    public var at: Int64

    public init(
        who: String, from: String, action: String, target: String, before: String? = nil, after: String? = nil,
        at: Int64
    ) {
        self.who = who
        self.from = from
        self.action = action
        self.target = target
        self.before = before
        self.after = after
        self.at = at
    }
}

/// A stored ``AuditEntry``.
public struct AuditRecord: Sendable, Equatable {
    /// Its number. Later entries have higher ones.
    public let number: Int64
    public let entry: AuditEntry
}
