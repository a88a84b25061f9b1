internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// Jobs: requests for several tasks, admitted whole or not at all.
extension TryOnTasks {
    /// Has Kling make as many pictures as asked for.
    ///
    /// It returns when the first task was accepted, or when all of them are queued; the others are sent then, and never
    /// turn the job into an error: what Kling refuses of them has failed, in the job. From the intents on the work
    /// belongs to the gateway: it goes on when the caller is cancelled.
    /// - Throws: what keeps the job from being admitted as a whole (slots, queue, the key's running tasks, `maxJobs`, an
    ///   unknown `account`); what became of its first task, if that is no acceptance. Then no task was made, but where
    ///   ``GatewayError/taskID`` names one whose outcome is open; ``GatewayError/job`` is its job.
    func createJob(
        _ request: JobRequest, for principal: Principal, _ note: ExchangeNote, on loop: EventLoop
    ) async throws(GatewayError) -> JobRecord {
        fatalError("not yet")
    }

    /// Notes what a client was told of its job, for its `Idempotency-Key`: a repeated request is answered so. Without a
    /// key it does nothing.
    func answered(_ job: JobRecord, _ answer: StoredAnswer) async {
        fatalError("not yet")
    }

    /// The job of a claimed `Idempotency-Key` that has no answer, if nobody is about to answer it: a crash, or a client
    /// that left, has kept it from being answered.
    /// - Returns: nil if its first request is still being answered.
    func unansweredJob(_ known: IdempotencyRecord) async throws(GatewayError) -> JobRecord? {
        fatalError("not yet")
    }

    /// Finds a tenant's job, its unfinished tasks as new as Kling has them: each is asked for at most once in a
    /// `freshness`.
    /// - Throws: ``Cause/unknownTask``.
    func job(
        _ number: Int64, tenant: String, _ note: ExchangeNote, on loop: EventLoop
    ) async throws(GatewayError) -> FoundJob {
        fatalError("not yet")
    }

    /// A tenant's jobs of one shape, newest first, as they are known.
    func jobs(
        tenant: String, shape: String, createdAfter after: Int64?, createdBefore before: Int64?, limit: Int
    ) async throws(GatewayError) -> [JobRecord] {
        fatalError("not yet")
    }

    /// The newest job of a tenant with that content, made at `time` (milliseconds since 1970) or later.
    func latestJob(
        _ fingerprint: [UInt8], tenant: String, since time: Int64
    ) async throws(GatewayError) -> JobRecord? {
        fatalError("not yet")
    }

    /// Waits until every task of a job has ended, however that comes to be known; until `deadline` at the latest, or until
    /// the caller is cancelled.
    /// - Returns: the job as it is then. The tasks of one that was refused meanwhile are `refused`.
    func ended(_ job: JobRecord, until deadline: MonotonicTime, on loop: EventLoop) async -> JobRecord {
        fatalError("not yet")
    }
}
