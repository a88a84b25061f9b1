/// Why the store could not do what was asked.
public struct StoreError: Error, Equatable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        /// The queue is full, the store is closed, or the disk does not respond as it should.
        case unavailable
        /// The database was lost during the commit, and did not come back in time: the write may be in it.
        case outcomeUnknown
        /// Another process holds the database.
        case busy
        /// The disk is full.
        case full
        /// The file, the folder or the disk can't be written to.
        case readOnly
        /// The file is not a database, or is damaged.
        case corrupt
        /// A newer version of the program has written the database.
        case newerSchema
        /// Another `serve` process uses the store.
        case alreadyServed
        /// Another process has taken over this one's tasks, so it has to start anew.
        case replaced
        /// The tenant already has a task with that `external_task_id`.
        case externalTaskIDInUse
        /// The tenant has already used that `Idempotency-Key` within a day.
        case idempotencyKeyInUse
        /// The tenant already runs as many jobs as it may.
        case tooManyJobs
        /// The account, the key or the tenant already has as many running tasks as it may, those of other processes
        /// included.
        case accountFull, keyFull, tenantFull
        /// Another process has made a task with the same content: see ``RivalCreates``.
        case sentElsewhere
        /// A budget of the tenant has not enough left: see ``StoreError/budget``.
        case budgetSpent
        /// A key or task with that id, access key or bearer key already exists.
        case alreadyExists
        /// There is no such task, job, delivery or key.
        case notFound
        /// The task is past the point where this step is possible.
        case stale
    }

    public let code: Code
    /// What happened, for logs and the operator's terminal. It may name files, so clients must never see it.
    public let detail: String
    /// The budget that has not enough left, if that is why.
    public let budget: BudgetRefusal?

    public init(_ code: Code, _ detail: String, budget: BudgetRefusal? = nil) {
        self.code = code
        self.detail = detail
        self.budget = budget
    }

    /// Another process has taken over this one's tasks.
    static let replaced = StoreError(.replaced, "another gateway has taken over this one's tasks")

    public var description: String { detail }
}
