internal import KlingAPI
internal import TaskStore

/// A key as the operator sees it in a list. Times are milliseconds since 1970.
public struct ListedKey: Sendable, Hashable {
    /// The status of a key.
    public enum Status: String, Sendable {
        case active
        /// Valid until ``ListedKey/revokedAt``.
        case ending
        case revoked
    }

    public let id: String
    public let tenant: String
    public let accessKey: String
    public let createdAt: Int64
    public let revokedAt: Int64?
    public let status: Status

    init(_ record: KeyRecord, now: Int64) {
        id = record.key.id
        tenant = record.key.tenant
        accessKey = record.key.accessKey
        createdAt = record.key.createdAt
        revokedAt = record.revokedAt
        status = record.revokedAt.map { $0 <= now ? .revoked : .ending } ?? .active
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
