/// The place of a task among those that one request has asked for.
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
    /// The tasks that a job may have.
    public static let sizes = 1...4

    /// The gateway's own integer, below 2^53; never used again.
    public let number: Int64
    public let tenant: String
    /// In whose words the client speaks: how the job is shown, and told at ``callbackURL``.
    public let shape: String
    /// What the shape needs of the request to show the job later.
    public let request: [UInt8]
    /// Where the job's states are told; nil if nowhere, or if its tasks tell theirs themselves.
    public let callbackURL: String?
    /// What the client wants to read in each callback.
    public let callbackRef: String?
    /// The client's `Idempotency-Key`.
    public let idempotencyKey: String?
    /// The only account that may have the tasks; nil: any.
    public let account: String?
    public let createdAt: Int64
    /// In the order in which they were asked for. A `refused` one counts as failed: nobody was told of it alone.
    public var tasks: [TaskRecord]

    /// When a task changed last.
    public var updatedAt: Int64 { tasks.map(\.updatedAt).max() ?? createdAt }
    /// Whether nothing will change any more.
    public var isFinal: Bool { tasks.allSatisfy { $0.state.isFinal } }
    /// Whether Kling has one of the tasks, or its client was told that one waits.
    public var isKnown: Bool { tasks.contains { $0.publicID != nil } }
}

/// A request about to be written down together with its tasks.
public struct NewJob: Sendable, Equatable {
    public var tenant: String
    public var shape: String
    public var request: [UInt8]
    public var callbackURL: String?
    public var callbackRef: String?
    /// Of the content, so that the client's next attempt finds the job; nil: it need not be found.
    public var fingerprint: [UInt8]?
    /// The client's `Idempotency-Key`, claimed with the record by the first task.
    public var idempotency: IdempotencyKey?
    /// The only account that may have the tasks; nil: any.
    public var account: String?
    /// How many of the tenant's jobs may run beside it, on ``account`` if there is one; nil: any number.
    public var runningBeside: Int?
    /// Milliseconds since 1970.
    public var createdAt: Int64

    public init(
        tenant: String, shape: String, request: [UInt8] = [], callbackURL: String? = nil, callbackRef: String? = nil,
        fingerprint: [UInt8]? = nil, idempotency: IdempotencyKey? = nil, account: String? = nil,
        runningBeside: Int? = nil, createdAt: Int64
    ) {
        self.tenant = tenant
        self.shape = shape
        self.request = request
        self.callbackURL = callbackURL
        self.callbackRef = callbackRef
        self.fingerprint = fingerprint
        self.idempotency = idempotency
        self.account = account
        self.runningBeside = runningBeside
        self.createdAt = createdAt
    }
}
