/// Requests for several tasks: written whole, found whole. Each task lives as any other does; its steps are the
/// ``TaskStore``'s.
///
/// As for every function of the store: what a write returns is on the disk; any thread may call; times are milliseconds
/// since 1970.
public protocol JobStore: Sendable {
    /// Writes down the intents of a job in one step, all or none, with their claims as ``TaskStore/begin(_:)`` does, but
    /// for the job's `Idempotency-Key`: what that answers is told by ``answer(job:_:)``.
    /// - Parameter tasks: ``JobRecord/sizes`` of them, none with an `Idempotency-Key` of its own; with a `callback_url`
    ///   only if the job has none.
    /// - Throws: as ``TaskStore/begin(_:)``; `tooManyJobs` if more than ``NewJob/runningBeside`` run.
    func begin(_ tasks: [NewTask], job: NewJob) async throws(StoreError) -> JobRecord

    /// Ends the intents of a job that no client was told of, in one step: the job is found no more.
    /// - Parameters:
    ///   - reason: what the operator sees as the tasks' status word.
    ///   - answer: what the client's `Idempotency-Key` answers from now on; nil frees the key.
    /// - Throws: `notFound`; `stale` if a task is more than such an intent: nothing has changed then.
    func refuse(
        job number: Int64, reason: String, at time: Int64, answer: StoredAnswer?
    ) async throws(StoreError)

    /// The client was answered: that is kept for its `Idempotency-Key`, if the key is still the job's and has no answer.
    /// - Parameter answer: nil frees the key.
    func answer(job number: Int64, _ answer: StoredAnswer?) async throws(StoreError)

    /// A tenant's job.
    func job(tenant: String, _ number: Int64) async throws(StoreError) -> JobRecord?

    /// The job of a task; nil if the task has none, or that is found no more.
    func job(of task: TaskID) async throws(StoreError) -> JobRecord?

    /// A tenant's jobs of one shape that its clients know of, newest first.
    /// - Parameters:
    ///   - after: later ones only.
    ///   - before: earlier ones only.
    ///   - bytes: how many bytes Kling's answers in their tasks may have together.
    func jobs(
        tenant: String, shape: String, createdAfter after: Int64?, createdBefore before: Int64?, limit: Int,
        answersUpTo bytes: Int
    ) async throws(StoreError) -> RecordPage<JobRecord>

    /// The newest job of a tenant with that content, made at `time` or later, whether its client knows of it or not.
    func latestJob(tenant: String, fingerprint: [UInt8], since time: Int64) async throws(StoreError) -> JobRecord?
}

extension JobStore {
    /// A tenant's jobs of one shape, however long Kling's answers in their tasks are.
    public func jobs(
        tenant: String, shape: String, createdAfter after: Int64?, createdBefore before: Int64?, limit: Int
    ) async throws(StoreError) -> [JobRecord] {
        switch try await jobs(
            tenant: tenant, shape: shape, createdAfter: after, createdBefore: before, limit: limit, answersUpTo: .max)
        {
        case .records(let records): records
        case .long: preconditionFailure("a page without a limit is too long")
        }
    }
}
