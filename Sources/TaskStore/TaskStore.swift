/// The durable records. What a write returns is on the disk.
///
/// Every function may be called from any thread and never blocks it. A cancelled caller still waits for its answer: a
/// write, once asked for, belongs to the store. Times are milliseconds since 1970.
///
/// Any function throws ``StoreError/Code/unavailable``, `busy`, `full`, `readOnly` or `corrupt`; after that the store
/// can be used again as soon as the cause is gone.
public protocol TaskStore: DeliveryStore, AccountStore, IdempotencyStore, JobStore, ResendStore, ClockStore {
    // MARK: Tasks

    /// Writes down the intent to send a task, and claims the client's `external_task_id` and `Idempotency-Key`. A claim
    /// of the key that was made before ``IdempotencyKey/expiry`` gives way.
    /// - Throws: `idempotencyKeyInUse`, which comes first; `externalTaskIDInUse`; `alreadyExists` for a repeated id.
    func begin(_ task: NewTask) async throws(StoreError)

    /// Another account, or none for now, is to be sent a task that Kling hasn't accepted.
    /// - Parameters:
    ///   - identity: which account that name stands for.
    ///   - api: which of Kling's APIs it is sent by.
    /// - Throws: `notFound`; `stale` if Kling has the task, or it ended.
    func assign(
        _ id: TaskID, account: String?, identity: Int64?, api: String?, at time: Int64
    ) async throws(StoreError) -> TaskRecord

    /// No account has room: an intent waits, without an account, and its client is told the gateway's own id. A task
    /// that waits already loses its account only.
    /// - Parameters:
    ///   - payload: the bytes of the request, which is kept elsewhere by now.
    ///   - answering: what the client is told, kept for its `Idempotency-Key`; called on a thread of the store's, and
    ///     only if the key is the task's and has no answer.
    /// - Throws: `notFound`; `stale` if Kling has the task, or it ended.
    func queue(
        _ id: TaskID, payload: Int, at time: Int64, answering: @escaping @Sendable (TaskRecord) -> StoredAnswer
    ) async throws(StoreError) -> TaskRecord

    /// Kling has the task, be it an intent or queued. Where that is known, it is an observation.
    /// - Parameter answering: as for ``queue(_:payload:at:answering:)``.
    /// - Throws: `notFound`; `stale` if the task ended before or Kling accepted it under another id.
    func accept(
        _ id: TaskID, _ acceptance: Acceptance, answering: @escaping @Sendable (TaskRecord) -> StoredAnswer
    ) async throws(StoreError) -> TaskRecord

    /// Ends an intent that no client was told of: no query and no list shows it, its `external_task_id` is free.
    /// - Parameters:
    ///   - reason: what the operator sees as its status word.
    ///   - answer: what the client's `Idempotency-Key` answers from now on; nil frees the key.
    /// - Throws: `notFound`; `stale` if it isn't such an intent.
    func refuse(_ id: TaskID, reason: String, at time: Int64, answer: StoredAnswer?) async throws(StoreError)

    /// The client is told the gateway's own id of a task that isn't accepted: that becomes its public id.
    /// - Returns: the record, which has another public id if the task was accepted meanwhile.
    /// - Throws: `notFound`; `stale` if the task ended unseen.
    func show(_ id: TaskID, at time: Int64) async throws(StoreError) -> TaskRecord

    /// Notes what was seen of a task. What is older than the record changes nothing; a task that Kling never accepted
    /// can only be seen to fail, which frees its `external_task_id`, and its `Idempotency-Key` if that has no answer.
    /// - Returns: the record as it is now.
    /// - Throws: `notFound`.
    func observe(_ id: TaskID, _ observation: Observation) async throws(StoreError) -> TaskRecord

    /// Ends a task that waits for an account: it fails, for the reason given, and is never sent.
    /// - Throws: `notFound`; `stale` if an account has been given it, or it doesn't wait.
    func cancel(_ id: TaskID, reason: String, at time: Int64) async throws(StoreError) -> TaskRecord

    /// Sets or clears what the operator should know of a task. A finished task has no flags.
    /// - Throws: `notFound`.
    func flag(_ id: TaskID, _ flags: TaskFlags) async throws(StoreError)

    /// Finds a tenant's task by its public id, then by the `external_task_id` that the client gave: the task that holds it,
    /// else the last one that the client was told of and that failed without reaching Kling.
    func task(tenant: String, publicID: String) async throws(StoreError) -> TaskRecord?

    /// Finds a task by the gateway's id.
    func task(_ id: TaskID) async throws(StoreError) -> TaskRecord?

    /// A page of the tasks that a tenant was told of, newest first. Every page costs the same.
    /// - Parameters:
    ///   - page: from 1.
    ///   - size: how many tasks a page has, from 1.
    ///   - limit: how many bytes Kling's answers in it may have together.
    func tasks(
        tenant: String, page: Int, size: Int, answersUpTo limit: Int
    ) async throws(StoreError) -> RecordPage<TaskRecord>

    /// The next of the tasks that a tenant was told of, newest first.
    /// - Parameter limit: how many bytes Kling's answers in them may have together.
    func tasks(
        tenant: String, _ slice: TaskSlice, answersUpTo limit: Int
    ) async throws(StoreError) -> RecordPage<TaskRecord>

    /// Tasks that haven't ended, oldest first: what is to be watched.
    /// - Parameter after: the last id of the batch before.
    func unfinished(after: TaskID?, limit: Int) async throws(StoreError) -> [TaskRecord]

    /// Tasks of any tenant, newest first, for the operator.
    /// - Parameter before: the last id of the batch before.
    func allTasks(_ filter: TaskFilter, before: TaskID?, limit: Int) async throws(StoreError) -> [TaskRecord]

    /// Tasks of any tenant that have this gateway's, public or upstream id, for the operator.
    func allTasks(named id: String) async throws(StoreError) -> [TaskRecord]

    // MARK: Keys and tenants

    /// Keeps a key.
    /// - Throws: `alreadyExists`.
    func insert(_ key: NewKey) async throws(StoreError)

    /// Every key, revoked ones included, oldest first.
    func keys() async throws(StoreError) -> [KeyRecord]

    /// Ends a key's life. To repeat it keeps the first time.
    /// - Throws: `notFound`.
    func revoke(key id: String, at time: Int64) async throws(StoreError)

    /// A number that rises with every change of a key, by whatever process. Cheap.
    func keyVersion() async throws(StoreError) -> Int64

    /// The tenant of that name, or `tenant` itself, kept from now on.
    func tenant(orInsert tenant: TenantRecord) async throws(StoreError) -> TenantRecord

    /// Gives a tenant a new webhook secret, beside which the one it had signs for a while. A tenant that isn't there
    /// comes into being.
    func rotateWebhookSecret(
        tenant name: String, sealed secret: [UInt8], previousValidUntil: Int64, at time: Int64
    ) async throws(StoreError) -> TenantRecord

    // MARK: Operation

    /// Removes what has been over for long, oldest first and little by little, so that other writes get their turns.
    ///
    /// A tenant's pages count from its newest task: they end earlier now. A task that hasn't ended stays.
    /// - Parameter limit: how many rows to remove at most.
    /// - Returns: how many went: fewer than `limit` if nothing is left to remove.
    func prune(
        tasksFinishedBefore tasks: Int64, deliveriesFinishedBefore deliveries: Int64,
        idempotencyKeysCreatedBefore keys: Int64, limit: Int
    ) async throws(StoreError) -> Int

    /// Proves that the store reads and writes and that there is room for more: by a read, and by writes of its own that
    /// change no record. What the writes came to may be a few seconds old.
    func check() async throws(StoreError)

    /// Finishes the writes and reads that wait, refuses new ones as `unavailable`, and lets go of the files.
    func close() async

    /// Counts since the store was opened.
    var statistics: StoreStatistics { get }
}

extension TaskStore {
    /// A page of the tasks that a tenant was told of, however long Kling's answers in it are.
    public func tasks(tenant: String, page: Int, size: Int) async throws(StoreError) -> [TaskRecord] {
        switch try await tasks(tenant: tenant, page: page, size: size, answersUpTo: .max) {
        case .records(let records): records
        case .long: preconditionFailure("a page without a limit is too long")
        }
    }
}
