internal import KlingAPI
internal import TaskStore

/// A request for 1 to 4 tasks of the same content.
struct JobRequest: Sendable {
    /// The content of every task. Its `external_task_id` goes only to the first one. Its `callback_url` gets the
    /// states of each task in Kling's form, unless the job has a ``callbackURL``.
    var tryOn: TryOnRequest
    /// 1 to 4.
    var count = 1
    /// The API shape that the client uses, stored with the job.
    var shape: String
    /// What the shape needs to show the job later, stored with the job. Keep it small.
    var record: [UInt8] = []
    /// Where the states of the job are sent, in the form of the shape.
    var callbackURL: HTTPURL?
    /// What the client wants each of those callbacks to repeat.
    var callbackRef: String?
    /// The content's fingerprint, for ``TryOnJobs/latest(_:tenant:since:)``.
    var fingerprint: [UInt8]?
    /// The client's `Idempotency-Key`. Its answer is recorded with ``TryOnJobs/recordAnswer(_:to:)``.
    var idempotency: IdempotencyKey?
    /// Makes the answer for a job that is refused for good, to be stored for the `Idempotency-Key`.
    var refusal: @Sendable (GatewayError) -> StoredAnswer
    /// The only account that may have the tasks.
    var account: String?
    /// How many jobs of the tenant may run, including this one. If ``account`` is named, only its jobs count.
    var maxJobs: Int?
}

/// A job, and how old its state is if Kling could not be asked.
struct FoundJob: Sendable {
    var job: JobRecord
    var staleness: Duration?
}
