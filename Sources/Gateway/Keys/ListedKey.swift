internal import KlingAPI
internal import TaskStore

/// A key as the operator sees it in a list. Times are milliseconds since 1970.
public struct ListedKey: Sendable, Hashable {
    /// The status of a key.
    public enum Status: String, Sendable {
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

    init(_ record: KeyRecord, now: Int64) {
        let key = record.key
        (id, tenant, name, createdAt) = (key.id, key.tenant, key.name, key.createdAt)
        (prefix, accessKey) = (key.secrets.prefix, key.secrets.accessKey)
        (lastUsedAt, revokedAt) = (record.lastUsedAt, record.revokedAt)
        previousUntil = record.previous.map(\.validUntil).filter { $0 > now }.max()
        status = Status(record, now: now)
    }

    /// The JSON of a list, an array of objects.
    public static func json(_ keys: [ListedKey]) -> [UInt8] {
        var writer = JSONWriter()
        writer.array { writer in
            for key in keys { writer.object { key.write(to: &$0) } }
        }
        return writer.bytes
    }

    private func write(to writer: inout JSONWriter) {
        writer.member("id", id)
        writer.member("tenant", tenant)
        writer.member("access_key", accessKey)
        writer.member("status", status.rawValue)
        writer.member("created_at", Int(createdAt))
        if let revokedAt { writer.member("revoked_at", Int(revokedAt)) }
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
