import Base
import Synchronization

@testable import Gateway
@testable import TaskStore

/// An in-memory store with only what keys need. It counts reads and has a hook into them.
final class KeyStore: TaskStore {
    struct State {
        var records: [KeyRecord] = []
        var tenants: [String: TenantRecord] = [:]
        var version: Int64 = 0
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

    func insert(_ key: NewKey) async throws(StoreError) {
        try open()
        state.withLock {
            $0.records.append(KeyRecord(key: key, revokedAt: nil)); $0.version += 1
        }
    }

    func revokeNow(_ id: String, at time: Int64 = 1) {
        state.withLock { state in
            state.records = state.records.map { $0.key.id == id ? KeyRecord(key: $0.key, revokedAt: time) : $0 }
            state.version += 1
        }
    }

    func revoke(key id: String, at time: Int64) async throws(StoreError) { try open(); revokeNow(id, at: time) }

    func keys() async throws(StoreError) -> [KeyRecord] {
        try open()
        let (rows, then) = state.withLock { state in
            state.rowReads += 1
            defer { state.onRowsRead = nil }
            return (state.records, state.onRowsRead)
        }
        then?()
        return rows
    }

    func keyVersion() async throws(StoreError) -> Int64 {
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
    let store = KeyStore()
    let time = TestClock()
    let vault: Vault
    let access: Access
    let issuer: KeyIssuer

    init(staticKeys: [StaticKey] = []) throws {
        vault = Vault(try MasterKey(Secret("a master key of some length")))
        access = Access(staticKeys: staticKeys, store: store, vault: vault, clock: time.clock)
        issuer = KeyIssuer(store: store, vault: vault)
    }

    func ask(_ key: Secret) async throws(AccessRefusal) -> Principal {
        try await access.authenticate(authorization: ["Bearer " + key.reveal()])
    }
}

/// The requirements that keys don't use.
extension KeyStore {
    func begin(_ task: NewTask) async throws(StoreError) { fatalError("not for keys") }
    func assign(_ id: TaskID, account: String?, identity: Int64?, api: String?, at time: Int64) async throws(StoreError)
        -> TaskRecord
    {
        fatalError("not for keys")
    }
    func queue(
        _ id: TaskID, payload: Int, at time: Int64, answering: @escaping @Sendable (TaskRecord) -> StoredAnswer
    ) async throws(StoreError) -> TaskRecord { fatalError("not for keys") }
    func accept(
        _ id: TaskID, _ acceptance: Acceptance, answering: @escaping @Sendable (TaskRecord) -> StoredAnswer
    ) async throws(StoreError) -> TaskRecord { fatalError("not for keys") }
    func refuse(_ id: TaskID, reason: String, at time: Int64, answer: StoredAnswer?) async throws(StoreError) {
        fatalError("not for keys")
    }
    func show(_ id: TaskID, at time: Int64) async throws(StoreError) -> TaskRecord { fatalError("not for keys") }
    func observe(_ id: TaskID, _ observation: Observation) async throws(StoreError) -> TaskRecord {
        fatalError("not for keys")
    }
    func flag(_ id: TaskID, _ flags: TaskFlags) async throws(StoreError) { fatalError("not for keys") }
    func task(tenant: String, publicID: String) async throws(StoreError) -> TaskRecord? { fatalError("not for keys") }
    func task(_ id: TaskID) async throws(StoreError) -> TaskRecord? { fatalError("not for keys") }
    func tasks(
        tenant: String, page: Int, size: Int, answersUpTo limit: Int
    ) async throws(StoreError) -> RecordPage<TaskRecord> { fatalError("not for keys") }
    func tasks(
        tenant: String, _ slice: TaskSlice, answersUpTo limit: Int
    ) async throws(StoreError) -> RecordPage<TaskRecord> { fatalError("not for keys") }
    func unfinished(after: TaskID?, limit: Int) async throws(StoreError) -> [TaskRecord] { fatalError("not for keys") }
    func allTasks(_ filter: TaskFilter, before: TaskID?, limit: Int) async throws(StoreError) -> [TaskRecord] {
        fatalError("not for keys")
    }
    func allTasks(named id: String) async throws(StoreError) -> [TaskRecord] { fatalError("not for keys") }
    func check() async throws(StoreError) { _ = try await keyVersion() }
    func prune(
        tasksFinishedBefore tasks: Int64, deliveriesFinishedBefore deliveries: Int64,
        idempotencyKeysCreatedBefore keys: Int64, limit: Int
    ) async throws(StoreError) -> Int { fatalError("not for keys") }
    func idempotency(tenant: String, key: String) async throws(StoreError) -> IdempotencyRecord? {
        fatalError("not for keys")
    }
    func unread(server: String) async throws(StoreError) -> UnreadCreates? { fatalError("not for keys") }
    func keep(
        unread: @escaping @Sendable () -> [TaskID], server: String, at time: Int64
    ) async throws(StoreError) {
        fatalError("not for keys")
    }
    func creates(leftBy unread: UnreadCreates?, limit: Int) async throws(StoreError) -> [TaskRecord] {
        fatalError("not for keys")
    }
    func accountStates() async throws(StoreError) -> [AccountStateRecord] { fatalError("not for keys") }
    func keep(_ state: AccountStateRecord) async throws(StoreError) { fatalError("not for keys") }
    func clockMark() async throws(StoreError) -> Int64? { fatalError("not for keys") }
    func keep(clockMark time: Int64) async throws(StoreError) { fatalError("not for keys") }
    func shiftDeliveries(by step: Int64, to time: Int64) async throws(StoreError) { fatalError("not for keys") }
    func dueDeliveries(
        at time: Int64, from position: OutboxPosition, _ bounds: OutboxBounds
    ) async throws(StoreError) -> OutboxPage { fatalError("not for keys") }
    func nextDelivery() async throws(StoreError) -> Int64? { fatalError("not for keys") }
    func cancel(_ id: TaskID, reason: String, at time: Int64) async throws(StoreError) -> TaskRecord {
        fatalError("not for keys")
    }
    func releaseLeases(at time: Int64) async throws(StoreError) { fatalError("not for keys") }
    func claim(delivery id: String, attempts: Int, lease: Int64, at time: Int64) async throws(StoreError) -> Bool {
        fatalError("not for keys")
    }
    func settle(delivery id: String, _ attempt: DeliveryAttempt, _ outcome: DeliveryOutcome) async throws(StoreError) {
        fatalError("not for keys")
    }
    func redeliver(delivery id: String, at time: Int64) async throws(StoreError) { fatalError("not for keys") }
    func deliveries(_ filter: DeliveryFilter, limit: Int) async throws(StoreError) -> [DeliveryRecord] {
        fatalError("not for keys")
    }
    func attempts(delivery id: String) async throws(StoreError) -> [DeliveryAttempt] { fatalError("not for keys") }
    func begin(_ tasks: [NewTask], job: NewJob) async throws(StoreError) -> JobRecord { fatalError("not for keys") }
    func refuse(job number: Int64, reason: String, at time: Int64, answer: StoredAnswer?) async throws(StoreError) {
        fatalError("not for keys")
    }
    func answer(job number: Int64, _ answer: StoredAnswer?) async throws(StoreError) { fatalError("not for keys") }
    func job(tenant: String, _ number: Int64) async throws(StoreError) -> JobRecord? { fatalError("not for keys") }
    func job(of task: TaskID) async throws(StoreError) -> JobRecord? { fatalError("not for keys") }
    func jobs(
        tenant: String, shape: String, createdAfter after: Int64?, createdBefore before: Int64?, limit: Int,
        answersUpTo bytes: Int
    ) async throws(StoreError) -> RecordPage<JobRecord> { fatalError("not for keys") }
    func latestJob(tenant: String, fingerprint: [UInt8], since time: Int64) async throws(StoreError) -> JobRecord? {
        fatalError("not for keys")
    }
    func close() async {}
    var statistics: StoreStatistics { fatalError("not for keys") }
}
