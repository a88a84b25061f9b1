/// Requests for several tasks, written and read as a whole. Each task otherwise behaves like any other, and takes its
/// steps through ``TaskStore``.
///
/// As everywhere in the store, a write is on disk when it returns, any thread may call, and times are milliseconds
/// since 1970.
public protocol JobStore: Sendable {
    /// Writes the intents of a job and their claims as ``TaskStore/begin(_:)`` does, all or none. The answer for the
    /// job's `Idempotency-Key` is set by ``answer(job:_:)``.
    /// - Parameter tasks: as many as ``JobRecord/sizes`` allows, none with its own `Idempotency-Key`, and with a
    ///   `callback_url` only if the job has none.
    /// - Throws: as ``TaskStore/begin(_:)``; `tooManyJobs` if more than ``NewJob/maximumOtherRunningJobs`` are running.
    func begin(_ tasks: [NewTask], job: NewJob) async throws(StoreError) -> JobRecord

    /// Ends the intents of a job that no client was told of, all in one step. The job can no longer be found.
    /// - Parameters:
    ///   - reason: what the operator sees as the tasks' status word.
    ///   - answer: what the client's `Idempotency-Key` answers from now on; nil frees the key.
    /// - Throws: `notFound`; `stale`, without changing anything, if a task is past that point.
    func refuse(
        job number: Int64, reason: String, at time: Int64, answer: StoredAnswer?
    ) async throws(StoreError)

    /// Stores the client's answer for its `Idempotency-Key`, if the job still holds the key and the key has no answer.
    /// - Parameter answer: nil frees the key.
    func answer(job number: Int64, _ answer: StoredAnswer?) async throws(StoreError)

    /// Returns a tenant's job.
    func job(tenant: String, _ number: Int64) async throws(StoreError) -> JobRecord?

    /// Returns the job of a task; nil if the task has none, or if the job can no longer be found.
    func job(of task: TaskID) async throws(StoreError) -> JobRecord?

    /// Returns a tenant's jobs of one shape that its clients know of, newest first.
    /// - Parameters:
    ///   - after: only jobs created after this time.
    ///   - before: only jobs created before this time.
    ///   - bytes: the maximum total size of Kling's answers in their tasks, in bytes.
    func list(
        tenant: String, shape: String, createdAfter after: Int64?, createdBefore before: Int64?, limit: Int,
        answersUpTo bytes: Int
    ) async throws(StoreError) -> RecordPage<JobRecord>

    /// Returns a tenant's newest job with that content, created at `time` or later, whether or not its client knows of
    /// it.
    func latest(tenant: String, fingerprint: [UInt8], since time: Int64) async throws(StoreError) -> JobRecord?
}

extension JobStore {
    /// Returns a tenant's jobs of one shape, without a limit on the size of Kling's answers in their tasks.
    public func list(
        tenant: String, shape: String, createdAfter after: Int64?, createdBefore before: Int64?, limit: Int
    ) async throws(StoreError) -> [JobRecord] {
        switch try await list(
            tenant: tenant, shape: shape, createdAfter: after, createdBefore: before, limit: limit, answersUpTo: .max)
        {
        case .records(let records): records
        case .long: preconditionFailure("a page without a limit is too long")
        }
    }
}
