/// The durable records. A write is on disk when it returns.
///
/// Every function may be called from any thread and never blocks it. A cancelled caller still waits for its result: a
/// write that was requested is carried out. Times are milliseconds since 1970.
///
/// Any function may throw ``StoreError/Code/unavailable``, `busy`, `full`, `readOnly` or `corrupt`. The store can be
/// used again as soon as the cause is gone.
public protocol TaskStore: Sendable {
    // MARK: Parts

    /// Requests for several tasks.
    var jobs: any JobStore { get }
    /// The callbacks to send to clients.
    var outbox: any DeliveryStore { get }
    /// The creates whose answers were not read.
    var resends: any ResendStore { get }
    /// The keys and tenants.
    var keys: any KeyStore { get }
    /// What was learned about the upstream accounts.
    var accounts: any AccountStore { get }
    /// The last recorded time.
    var clock: any ClockStore { get }
    /// What tenants have used.
    var usage: any UsageStore { get }
    /// The changes that operators have made.
    var audit: any AuditStore { get }
    /// Bodies too large for records; nil if the store is a process' own: then they are files beside it.
    var blobs: (any BlobStore)? { get }

    /// How many more requests keys and tenants may make, counted over all processes; nil if one process serves alone and
    /// counts by itself.
    var rates: (any RateStore)? { get }
    /// The processes that serve from the store; nil if one serves alone.
    var replicas: (any ReplicaStore)? { get }

    /// The same store, for one change by an operator: each write adds `entry` to the audit log in its own transaction. A
    /// write that fails adds nothing.
    func audited(_ entry: AuditEntry) -> any TaskStore

    // MARK: Tasks

    /// Hands ``begin(_:)`` over to the store's threads.
    func begin(_ task: NewTask, _ wait: StoreWait)

    /// Assigns a task that Kling has not accepted to another account, or to none for now.
    /// - Parameter limits: what the store checks, as in a ``NewTask``.
    /// - Throws: `notFound`; `stale` if Kling has the task, or it has ended; `accountFull`.
    @discardableResult
    func assign(
        _ id: TaskID, to assignment: Assignment?, at time: Int64, limits: SharedLimits?
    ) async throws(StoreError) -> TaskRecord

    /// Queues an intent because no account has room: it waits without an account, and its client is told the gateway's
    /// own id. A task that is already queued only loses its account.
    /// - Parameters:
    ///   - payload: the size in bytes of the request, which is already stored elsewhere.
    ///   - answering: returns what the client is told, to be stored for its `Idempotency-Key`. Called on a store
    ///     thread, and only if the task holds the key and the key has no answer.
    /// - Throws: `notFound`; `stale` if Kling has the task, or it has ended.
    func queue(
        _ id: TaskID, payload: Int, at time: Int64, answering: @escaping @Sendable (TaskRecord) -> StoredAnswer
    ) async throws(StoreError) -> TaskRecord

    /// Hands ``accept(_:_:ownID:isRecoverable:answering:)`` over to the store's threads.
    func accept(
        _ id: TaskID, _ acceptance: Acceptance, ownID isPublic: @escaping @Sendable (TaskID) -> Bool,
        isRecoverable: Bool, _ wait: RecordWait, answering: @escaping @Sendable (TaskRecord) -> StoredAnswer)

    /// Ends an intent that no client was told of. Queries and lists do not show it, and its `external_task_id` is free.
    /// - Parameters:
    ///   - reason: what the operator sees as its status word.
    ///   - answer: what the client's `Idempotency-Key` answers from now on; nil frees the key.
    /// - Throws: `notFound`; `stale` if it is not such an intent.
    func refuse(_ id: TaskID, reason: String, at time: Int64, answer: StoredAnswer?) async throws(StoreError)

    /// Makes the gateway's own id the public id of a task that is not accepted yet, because the client is told that id.
    /// - Returns: the record, which has another public id if the task was accepted in the meantime.
    /// - Throws: `notFound`; `stale` if the task ended before any client was told of it.
    func show(_ id: TaskID, at time: Int64) async throws(StoreError) -> TaskRecord

    /// Records what was seen of a task. An observation of an earlier state changes nothing. A task that Kling never
    /// accepted can only fail, which frees its `external_task_id`, and its `Idempotency-Key` if that has no answer.
    /// - Returns: the record as it is now.
    /// - Throws: `notFound`.
    func observe(_ id: TaskID, _ observation: Observation) async throws(StoreError) -> TaskRecord

    /// Ends a task that waits for an account: it fails with the given reason and is never sent.
    /// - Throws: `notFound`; `stale` if the task has been assigned to an account, or is not queued.
    func cancel(_ id: TaskID, reason: String, at time: Int64) async throws(StoreError) -> TaskRecord

    /// Sets or clears what the operator should know about a task. A finished task has no flags.
    /// - Throws: `notFound`.
    func flag(_ id: TaskID, _ flags: TaskFlags) async throws(StoreError)

    /// Finds a tenant's task by its public id, or else by the `external_task_id` that the client gave: the task that
    /// holds it, or else the last one that the client was told of and that failed without reaching Kling; or else by
    /// Kling's id.
    func task(tenant: String, publicID: String) async throws(StoreError) -> TaskRecord?

    /// Finds a task by the gateway's id.
    func task(_ id: TaskID) async throws(StoreError) -> TaskRecord?

    /// Returns a page of the tasks that a tenant was told of, newest first. Every page costs the same to read.
    /// - Parameters:
    ///   - page: counts from 1.
    ///   - size: the number of tasks on a page, at least 1.
    ///   - limit: the maximum total size of Kling's answers on the page, in bytes.
    func tasks(
        tenant: String, page: Int, size: Int, answersUpTo limit: Int
    ) async throws(StoreError) -> RecordPage<TaskRecord>

    /// Returns a slice of the tasks that a tenant was told of, newest first.
    /// - Parameter limit: the maximum total size of Kling's answers in the slice, in bytes.
    func tasks(
        tenant: String, _ slice: TaskSlice, answersUpTo limit: Int
    ) async throws(StoreError) -> RecordPage<TaskRecord>

    /// Returns tasks that have not ended, oldest first: those to watch.
    /// - Parameter after: the last id of the previous batch.
    func unfinished(after: TaskID?, limit: Int) async throws(StoreError) -> [TaskRecord]

    /// Tasks of any tenant, newest first, for the operator.
    /// - Parameter before: the last id of the previous batch.
    func allTasks(_ filter: TaskFilter, before: TaskID?, limit: Int) async throws(StoreError) -> [TaskRecord]

    /// Returns tasks of any tenant that have this gateway, public, upstream or external id, for the operator.
    func allTasks(named id: String) async throws(StoreError) -> [TaskRecord]

    /// Returns the claim of a tenant's `Idempotency-Key`; nil if the key is free. A key is claimed in the transaction
    /// that writes the intent, and its answer is stored in the transaction that settles the create.
    func idempotency(tenant: String, key: String) async throws(StoreError) -> IdempotencyRecord?

    // MARK: Operation

    /// Removes records that ended long ago, oldest first and in small batches, so that other writes are not held up.
    ///
    /// A tenant's pages count from its newest task, so the last pages disappear. A task that has not ended stays.
    /// - Parameter limit: the maximum number of rows to remove.
    /// - Returns: the number of rows removed, which is less than `limit` if nothing is left to remove.
    func prune(
        tasksFinishedBefore tasks: Int64, deliveriesFinishedBefore deliveries: Int64,
        idempotencyKeysCreatedBefore keys: Int64, limit: Int
    ) async throws(StoreError) -> Int

    /// Checks that the store can read and write and that the disk has room, by a read and by writes that change no
    /// record. The result of the writes may be a few seconds old.
    func check() async throws(StoreError)

    /// Finishes waiting writes and reads, refuses new ones as `unavailable`, and closes the files.
    func close() async

    /// Counts since the store was opened.
    var statistics: StoreStatistics { get }
}

extension TaskStore {
    /// Writes the intent to send a task, and claims the client's `external_task_id` and `Idempotency-Key`. A claim of
    /// the key made before ``IdempotencyKey/expiry`` is replaced.
    /// - Throws: `budgetSpent` and `idempotencyKeyInUse`, checked first; `accountFull`, `keyFull` and `tenantFull`;
    ///   `externalTaskIDInUse`; `alreadyExists` for a repeated id.
    public func begin(_ task: NewTask) async throws(StoreError) {
        let wait = StoreWait()
        try await wait.perform { begin(task, wait) }
    }

    /// Assigns a task without a check of the account's running tasks.
    @discardableResult
    public func assign(
        _ id: TaskID, to assignment: Assignment?, at time: Int64
    ) async throws(StoreError) -> TaskRecord {
        try await assign(id, to: assignment, at: time, limits: nil)
    }

    /// Records that Kling has a task, which was an intent or queued. If that is already recorded, it counts as an
    /// observation.
    /// - Parameters:
    ///   - isPublic: whether a client was told the gateway's own id, which then becomes the public one. Called on a store
    ///     thread while the acceptance is written: a client may be told while it waits to be.
    ///   - isRecoverable: whether the gateway would find the task again at Kling. Then a power cut, but no crash of the
    ///     process, may undo this for a few milliseconds after it returns, unless a callback, a job or an
    ///     `Idempotency-Key` depends on it.
    ///   - answering: as for ``queue(_:payload:at:answering:)``.
    /// - Throws: `notFound`; `stale` if the task ended before it was accepted, or Kling accepted it under another id.
    public func accept(
        _ id: TaskID, _ acceptance: Acceptance, ownID isPublic: @escaping @Sendable (TaskID) -> Bool,
        isRecoverable: Bool, answering: @escaping @Sendable (TaskRecord) -> StoredAnswer
    ) async throws(StoreError) -> TaskRecord {
        let wait = RecordWait()
        try await wait.perform {
            accept(id, acceptance, ownID: isPublic, isRecoverable: isRecoverable, wait, answering: answering)
        }
        guard let record = wait.record else { throw .notRun }
        return record
    }

    /// Records that Kling has a task whose client was told no id but by its record.
    public func accept(
        _ id: TaskID, _ acceptance: Acceptance, answering: @escaping @Sendable (TaskRecord) -> StoredAnswer
    ) async throws(StoreError) -> TaskRecord {
        try await accept(id, acceptance, ownID: { _ in false }, isRecoverable: false, answering: answering)
    }

    /// Returns a page of the tasks that a tenant was told of, without a limit on the size of Kling's answers.
    public func tasks(tenant: String, page: Int, size: Int) async throws(StoreError) -> [TaskRecord] {
        switch try await tasks(tenant: tenant, page: page, size: size, answersUpTo: .max) {
        case .records(let records): records
        case .long: preconditionFailure("a page without a limit is too long")
        }
    }
}
