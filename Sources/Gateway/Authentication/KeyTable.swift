internal import TaskStore

/// A snapshot of the keys and the tenants' rules at one version of the store.
struct KeyTable: Sendable {
    /// What is known about a key, or about the secrets that it had before.
    struct Entry: Sendable {
        let principal: Principal
        /// When it stops working, in milliseconds since 1970, and what clients are told then.
        var end: (at: Int64, refusal: AccessRefusal)?
        /// Why it doesn't work at all.
        var refusal: AccessRefusal?
        /// Whether it comes from the store, so that its validity depends on how fresh the table is.
        let isStored: Bool
        /// When the key was last used.
        let use: KeyUse

        /// Why it doesn't work at a time in milliseconds since 1970; nil if it does.
        func refusal(at milliseconds: @autoclosure () -> Int64) -> AccessRefusal? {
            if let refusal { return refusal }
            guard let end, milliseconds() >= end.at else { return nil }
            return end.refusal
        }
    }

    /// The key that a token's issuer names.
    struct Issuer: Sendable {
        let entry: Entry
        let sealedSecretKey: [UInt8]
    }

    /// The keys of the configuration, without the rules of their tenants.
    private let staticKeys: [StaticKey]
    private var entries: [Digest: Entry] = [:]
    private var issuers: [String: Issuer] = [:]
    private var policies: [String: TenantPolicy] = [:]
    /// The keys and tenants that have a limit of running tasks.
    private(set) var runningLimits = RunningLimits()
    private var uses: [String: KeyUse] = [:]
    /// Keys that have expired. They don't become valid again when the clock is set back.
    private var expired: Set<String> = []

    /// Creates a table of the keys that don't need the store.
    init(_ staticKeys: [StaticKey]) {
        self.staticKeys = staticKeys
        addStaticKeys()
    }

    /// Creates a table of the static keys of `previous` and of what is in the store at the believed time `now`, in
    /// milliseconds since 1970.
    init(_ records: [KeyRecord], _ rules: [TenantRules], after previous: KeyTable, now: Int64) {
        staticKeys = previous.staticKeys
        uses = previous.uses
        policies = Dictionary(rules.map { ($0.name, TenantPolicy($0)) }) { first, _ in first }
        runningLimits.tenants = Set(rules.filter { $0.access.concurrency != nil }.map(\.name))
        addStaticKeys()
        for record in records { add(record, after: previous, now: now) }
    }

    private mutating func addStaticKeys() {
        for key in staticKeys {
            let entry = entry(of: key.principal, isStored: false)
            if entries[key.digest] == nil { entries[key.digest] = entry }
        }
    }

    private mutating func add(_ record: KeyRecord, after previous: KeyTable, now: Int64) {
        let key = record.key
        let isOver = record.revokedAt.map { $0 <= now } ?? false
        guard !isOver, record.revokedAt == nil || !previous.expired.contains(key.id) else {
            expired.insert(key.id)
            return
        }
        var entry = entry(
            of: Principal(
                tenant: key.tenant, keyID: key.id, limits: Principal.Limits(key.rules),
                scope: Principal.Scope(key.rules)),
            isStored: true)
        if key.rules.isDisabled { entry.refusal = .disabled }
        entry.end(at: key.rules.expiresAt, as: .expired)
        entry.end(at: record.revokedAt, as: .unknown)
        add(key.secrets, entry)
        for old in record.previous {
            var entry = entry
            entry.end(at: old.validUntil, as: .unknown)
            add(old.secrets, entry)
        }
    }

    private mutating func add(_ secrets: KeySecrets, _ entry: Entry) {
        guard let digest = Digest(secrets.bearerHash) else { return }
        if entries[digest] == nil { entries[digest] = entry }
        issuers[secrets.accessKey] = Issuer(entry: entry, sealedSecretKey: secrets.sealedSecretKey)
    }

    /// The entry of a key, with the rules of its tenant.
    private mutating func entry(of key: Principal, isStored: Bool) -> Entry {
        let principal = Principal(
            tenant: key.tenant, keyID: key.keyID, limits: key.limits, scope: key.scope,
            policy: policies[key.tenant] ?? .none)
        if principal.limits.concurrency != nil { runningLimits.keys.insert(key.keyID) }
        let use = uses[key.keyID] ?? KeyUse()
        uses[key.keyID] = use
        var entry = Entry(principal: principal, isStored: isStored, use: use)
        if principal.policy.isDisabled { entry.refusal = .disabled }
        entry.end(at: principal.policy.expiresAt, as: .expired)
        return entry
    }

    /// The key with this digest.
    subscript(digest: Digest) -> Entry? { entries[digest] }

    /// The key pair with this access key.
    func issuer(_ accessKey: String) -> Issuer? { issuers[accessKey] }

    /// What holds for all keys of a tenant.
    func policy(of tenant: String) -> TenantPolicy { policies[tenant] ?? .none }

    /// The times at which keys were used and that were not taken before, by the keys' ids.
    func takeUses() -> [String: Int64] { uses.compactMapValues { $0.take() } }
}

extension KeyTable.Entry {
    /// Lets the key end at a time, unless it ends before.
    fileprivate mutating func end(at time: Int64?, as refusal: AccessRefusal) {
        guard let time, end.map({ time < $0.at }) ?? true else { return }
        end = (time, refusal)
    }
}

/// A ``KeyTable`` that is shared by reference: it is never changed, only replaced.
final class KeyTableSnapshot: Sendable {
    let keys: KeyTable

    init(_ keys: KeyTable) { self.keys = keys }
}
