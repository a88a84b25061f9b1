import Base
import Synchronization

@testable import Gateway
@testable import TaskStore

/// A ``KeyStore`` in memory. It counts reads and has a hook into them.
final class KeysInMemory: KeyStore {
    struct State {
        var records: [KeyRecord] = []
        var tenants: [String: TenantRecord] = [:]
        var rules: [String: TenantRules] = [:]
        var uses: [String: Int64] = [:]
        var version: Int64 = 0
        var mark: [UInt8]?
        var isBroken = false
        var versionLooks = 0
        var rowReads = 0
        /// Called once, after the rows are read and before they are returned.
        var onRowsRead: (@Sendable () -> Void)?
    }

    let state = Lock(State())

    private func open() throws(StoreError) {
        if state.withLock({ $0.isBroken }) { throw StoreError(.unavailable, "down") }
    }

    func masterKeyMark() async throws(StoreError) -> [UInt8]? {
        try open()
        return state.withLock { $0.mark }
    }

    func keepMasterKeyMark(_ mark: [UInt8]) async throws(StoreError) {
        try open()
        state.withLock { $0.mark = mark }
    }

    func insert(_ key: NewKey) async throws(StoreError) {
        try open()
        state.withLock {
            $0.records.append(KeyRecord(key: key, revokedAt: nil)); $0.version += 1
        }
    }

    func revokeNow(_ id: String, at time: Int64 = 1) {
        state.withLock { state in
            for index in state.records.indices where state.records[index].key.id == id {
                state.records[index].revokedAt = time
                state.records[index].previous = []
            }
            state.version += 1
        }
    }

    func change(_ id: String, name: String, rules: AccessRules) async throws(StoreError) {
        try open()
        state.withLock { state in
            for index in state.records.indices where state.records[index].key.id == id {
                state.records[index].key.name = name
                state.records[index].key.rules = rules
            }
            state.version += 1
        }
    }

    func rotate(
        _ id: String, to secrets: KeySecrets, previousValidUntil: Int64, at time: Int64
    ) async throws(StoreError) {
        try open()
        state.withLock { state in
            for index in state.records.indices where state.records[index].key.id == id {
                let old = state.records[index].key.secrets
                state.records[index].previous.append(PreviousSecrets(old, validUntil: previousValidUntil))
                state.records[index].key.secrets = secrets
            }
            state.version += 1
        }
    }

    func noteUses(_ uses: [String: Int64]) async throws(StoreError) {
        try open()
        state.withLock { $0.uses.merge(uses) { max($0, $1) } }
    }

    func tenantRules() async throws(StoreError) -> [TenantRules] {
        try open()
        return state.withLock { Array($0.rules.values) }
    }

    func keep(_ rules: TenantRules, at time: Int64) async throws(StoreError) {
        try open()
        state.withLock { state in
            state.rules[rules.name] = rules
            state.version += 1
        }
    }

    func tenantNames() async throws(StoreError) -> [String] {
        try open()
        return state.withLock { Array(Set($0.tenants.keys).union($0.rules.keys)).sorted() }
    }

    func revoke(_ id: String, at time: Int64) async throws(StoreError) { try open(); revokeNow(id, at: time) }

    func all() async throws(StoreError) -> [KeyRecord] {
        try open()
        let (rows, then) = state.withLock { state in
            state.rowReads += 1
            defer { state.onRowsRead = nil }
            return (state.records, state.onRowsRead)
        }
        then?()
        return rows
    }

    func version() async throws(StoreError) -> Int64 {
        state.withLock { $0.versionLooks += 1 }
        try open()
        return state.withLock { $0.version }
    }

    func tenant(orInsert tenant: TenantRecord) async throws(StoreError) -> TenantRecord {
        try open()
        return state.withLock { state in
            let kept = state.tenants[tenant.name] ?? tenant
            state.tenants[tenant.name] = kept
            return kept
        }
    }

    func rotateWebhookSecret(
        tenant name: String, sealed secret: [UInt8], previousValidUntil: Int64, at time: Int64
    ) async throws(StoreError) -> TenantRecord {
        try open()
        return state.withLock { state in
            let old = state.tenants[name]
            let new = TenantRecord(
                name: name, sealedWebhookSecret: secret, previousSealedWebhookSecret: old?.sealedWebhookSecret,
                previousValidUntil: old.map { _ in previousValidUntil }, createdAt: old?.createdAt ?? time)
            state.tenants[name] = new
            return new
        }
    }
}

/// Clocks that a test moves. Sleeping advances them.
final class TestClock: Sendable {
    let nanoseconds = Atomic<Int64>(1_000_000_000_000)
    let wallOffset = Atomic<Int64>(0)
    static let epoch: Int64 = 1_800_000_000_000

    var now: MonotonicTime { MonotonicTime(nanoseconds: nanoseconds.load(ordering: .relaxed)) }
    var wall: Int64 { Self.epoch + now.nanoseconds / 1_000_000 + wallOffset.load(ordering: .relaxed) }
    /// A guarded clock that reads both.
    var guarded: GuardedClock { GuardedClock(wall: { self.wall }, monotonic: { self.now }) }
    func pass(_ duration: Duration) { nanoseconds.add(duration.nanoseconds, ordering: .relaxed) }

    var clock: Access.Clock {
        var clock = Access.Clock(guarded)
        clock.monotonic = { self.now }
        clock.sleep = { duration in
            self.pass(duration)
            await Task.yield()
        }
        return clock
    }
}

/// An ``Access`` with an in-memory store.
struct Fixture {
    let store = KeysInMemory()
    let time = TestClock()
    let vault: Vault
    let access: Access
    let issuer: KeyIssuer

    init(staticKeys: [StaticKey] = []) throws {
        vault = Vault(try MasterKey(Secret("a master key of some length")))
        access = Access(staticKeys: staticKeys, keys: store, vault: vault, clock: time.clock)
        issuer = KeyIssuer(keys: store, vault: vault)
    }

    func ask(_ key: Secret) async throws(AccessRefusal) -> Principal {
        try await access.authenticate(authorization: ["Bearer " + key.reveal()])
    }
}
