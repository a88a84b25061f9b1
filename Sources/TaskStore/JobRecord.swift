/// The position of a task among the tasks of one request.
public struct JobPlace: Sendable, Hashable {
    /// The job's number.
    public let job: Int64
    /// From 0.
    public let index: Int

    public init(job: Int64, index: Int) {
        self.job = job
        self.index = index
    }
}

/// One request for several tasks of the same content. Times are milliseconds since 1970.
public struct JobRecord: Sendable, Equatable {
    /// How many tasks a job may have.
    public static let sizes = 1...4

    /// The gateway's own number for the job, below 2^53 and never reused.
    public let number: Int64
    public let tenant: String
    /// The API shape that the client uses. It decides how the job is shown, and how it is reported to ``callbackURL``.
    public let shape: String
    /// The parts of the request that the shape needs to show the job later.
    public let request: [UInt8]
    /// Where the job's states are reported; nil if nowhere, or if its tasks report their own.
    public let callbackURL: String?
    /// The client's own reference, repeated in each callback.
    public let callbackRef: String?
    /// The client's `Idempotency-Key`.
    public let idempotencyKey: String?
    /// The only account that may run the tasks; nil: any.
    public let account: String?
    public let createdAt: Int64
    /// In the order of the request. A `refused` task counts as failed: no client was ever told of it by itself.
    public var tasks: [TaskRecord]

    /// When one of the tasks last changed.
    public var updatedAt: Int64 { tasks.map(\.updatedAt).max() ?? createdAt }
    /// Whether all tasks have ended.
    public var isFinal: Bool { tasks.allSatisfy { $0.state.isFinal } }
    /// Whether Kling has one of the tasks, or the client was told that one is queued.
    public var isKnown: Bool { tasks.contains { $0.publicID != nil } }
}

/// A job to write together with its tasks.
public struct NewJob: Sendable, Equatable {
    public var tenant: String
    public var shape: String
    public var request: [UInt8]
    public var callbackURL: String?
    public var callbackRef: String?
    /// A digest of the content, by which the client's next attempt finds the job; nil if it need not be found.
    public var fingerprint: [UInt8]?
    /// The client's `Idempotency-Key`, claimed with the record by the first task.
    public var idempotency: IdempotencyKey?
    /// The only account that may run the tasks; nil: any.
    public var account: String?
    /// How many other jobs of the tenant may be running, on ``account`` if that is set; nil: any number.
    public var maximumOtherRunningJobs: Int?
    /// Milliseconds since 1970.
    public var createdAt: Int64

    public init(
        tenant: String, shape: String, request: [UInt8] = [], callbackURL: String? = nil, callbackRef: String? = nil,
        fingerprint: [UInt8]? = nil, idempotency: IdempotencyKey? = nil, account: String? = nil,
        maximumOtherRunningJobs: Int? = nil, createdAt: Int64
    ) {
        self.tenant = tenant
        self.shape = shape
        self.request = request
        self.callbackURL = callbackURL
        self.callbackRef = callbackRef
        self.fingerprint = fingerprint
        self.idempotency = idempotency
        self.account = account
        self.maximumOtherRunningJobs = maximumOtherRunningJobs
        self.createdAt = createdAt
    }
}
