public import TaskStore

/// A key as the operator sees it in a list. Times are milliseconds since 1970.
public struct ListedKey: Sendable, Equatable {
    /// The status of a key.
    public enum Status: String, Sendable, CaseIterable {
        case active
        /// Valid until ``ListedKey/revokedAt``.
        case ending
        case disabled
        case expired
        case revoked
    }

    public let id: String
    public let tenant: String
    public let name: String
    /// The first characters of the bearer key; empty if they were not kept.
    public let prefix: String
    public let accessKey: String
    public let createdAt: Int64
    public let lastUsedAt: Int64?
    public let revokedAt: Int64?
    /// Until when the secrets before the last rotation are valid; nil if they are not.
    public let previousUntil: Int64?
    public let status: Status
    public let rules: AccessRules

    init(_ record: KeyRecord, now: Int64) {
        let key = record.key
        (id, tenant, name, createdAt) = (key.id, key.tenant, key.name, key.createdAt)
        (prefix, accessKey) = (key.secrets.prefix, key.secrets.accessKey)
        (lastUsedAt, revokedAt) = (record.lastUsedAt, record.revokedAt)
        previousUntil = record.previous.map(\.validUntil).filter { $0 > now }.max()
        status = Status(record, now: now)
        rules = key.rules
    }
}

extension ListedKey.Status {
    fileprivate init(_ record: KeyRecord, now: Int64) {
        let rules = record.key.rules
        if let revokedAt = record.revokedAt, revokedAt <= now {
            self = .revoked
        } else if let expiresAt = rules.expiresAt, expiresAt <= now {
            self = .expired
        } else if rules.isDisabled {
            self = .disabled
        } else {
            self = record.revokedAt == nil ? .active : .ending
        }
    }
}
