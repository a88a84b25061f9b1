internal import TaskStore

/// A snapshot of the keys at one version of the store. It never changes and is only replaced, so any thread may read
/// it.
final class KeyTable: Sendable {
    /// What is known about a key.
    struct Entry: Sendable {
        let principal: Principal
        /// When it ceases to be valid, in milliseconds since 1970.
        var expiresAt: Int64?
        /// Whether it comes from the store, so that its validity depends on how fresh the table is.
        let isStored: Bool

        /// Whether the key is valid at a time in milliseconds since 1970.
        func isValid(at milliseconds: @autoclosure () -> Int64) -> Bool {
            expiresAt.map { milliseconds() < $0 } ?? true
        }
    }

    /// The key that a token's issuer names.
    struct Issuer: Sendable {
        let entry: Entry
        let sealedSecretKey: [UInt8]
    }

    private let entries: [Digest: Entry]
    private let issuers: [String: Issuer]
    /// Keys that have expired. They don't become valid again when the clock is set back.
    private let expired: Set<String>

    /// Creates a table of the keys that don't need the store.
    init(_ staticKeys: [StaticKey]) {
        entries = Dictionary(
            staticKeys.map { ($0.digest, Entry(principal: $0.principal, isStored: false)) },
            uniquingKeysWith: { first, _ in first })
        issuers = [:]
        expired = []
    }

    /// Creates a table of `staticKeys` and of the `records` that have not expired by the believed time `now`, in
    /// milliseconds since 1970.
    init(_ staticKeys: KeyTable, _ records: [KeyRecord], after previous: KeyTable, now: Int64) {
        var entries = staticKeys.entries
        var issuers: [String: Issuer] = [:]
        var expired: Set<String> = []
        entries.reserveCapacity(entries.count + records.count)
        for record in records {
            let key = record.key
            let isOver = record.revokedAt.map { $0 <= now } ?? false
            guard !isOver, record.revokedAt == nil || !previous.expired.contains(key.id),
                let digest = Digest(key.bearerHash)
            else {
                expired.insert(key.id)
                continue
            }
            let principal = Principal(tenant: key.tenant, keyID: key.id, limits: Principal.Limits())
            let entry = Entry(principal: principal, expiresAt: record.revokedAt, isStored: true)
            if entries[digest] == nil { entries[digest] = entry }
            issuers[key.accessKey] = Issuer(entry: entry, sealedSecretKey: key.sealedSecretKey)
        }
        self.entries = entries
        self.issuers = issuers
        self.expired = expired
    }

    /// The key with this digest.
    subscript(digest: Digest) -> Entry? { entries[digest] }

    /// The key pair with this access key.
    func issuer(_ accessKey: String) -> Issuer? { issuers[accessKey] }
}
