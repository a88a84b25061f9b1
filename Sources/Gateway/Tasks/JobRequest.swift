internal import KlingAPI
internal import TaskStore

/// A request for 1 to 4 tasks of the same content.
struct JobRequest: Sendable {
    /// What each of the tasks is. Its `external_task_id` goes to the first of them. Its `callback_url` is told the states
    /// of every single task in Kling's words, unless the job has a ``callbackURL``.
    var tryOn: TryOnRequest
    /// 1 to 4.
    var count = 1
    /// In whose words the client speaks, kept with the job.
    var shape: String
    /// What the shape needs to show the job later, kept with it: small.
    var record: [UInt8] = []
    /// Where the states of the job are told, in the shape's words.
    var callbackURL: HTTPURL?
    /// What the client wants to read in each of those callbacks.
    var callbackRef: String?
    /// Of the content, for ``TryOnJobs/latest(_:tenant:since:)``.
    var fingerprint: [UInt8]?
    /// The client's `Idempotency-Key`. What it answers is told by ``TryOnJobs/recordAnswer(_:to:)``.
    var idempotency: IdempotencyKey?
    /// How a refusal of the whole job for good is answered: kept for the `Idempotency-Key`.
    var refusal: @Sendable (GatewayError) -> StoredAnswer
    /// The only account that may have the tasks.
    var account: String?
    /// How many jobs of the tenant may run, this one included: on ``account`` if one is named.
    var maxJobs: Int?
}

/// A job, and how old what is said of it is if Kling could not be asked.
struct FoundJob: Sendable {
    var job: JobRecord
    var staleness: Duration?
}
