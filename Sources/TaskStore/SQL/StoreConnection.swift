/// A connection to an SQL database, with its prepared statements and its view of each table. Belongs to one thread.
///
/// The rows of each table are read and written by the same code for every database: what differs is here, in
/// ``StoreStatement``, in ``StorePool`` and in the texts of ``Query``.
protocol StoreConnection: AnyObject, SendableMetatype {
    associatedtype Statement: StoreStatement

    /// Makes the callbacks for steps of tasks and jobs.
    var callbacks: StepCallbacks { get }
    /// A cache of rows that are also in the tables, used by the connection that writes.
    var recent: RecentTasks { get set }
    /// What budgets have left, used by the connection that writes.
    var budgets: BudgetBooks<Self> { get }

    /// Returns the statement of `query`, which is compiled on first use.
    func statement(_ query: Query) throws(StoreError) -> Statement

    /// Returns the statement of `query`, which updates the row of a task, with that row bound as its first parameter.
    func statement(_ query: Query, updating row: Int64) throws(StoreError) -> Statement

    /// Keeps a new task's row back, so that it is written once if the task changes soon.
    /// - Returns: the number that the row will have; nil if the row must be written at once.
    func postpone(_ task: TaskRecord) throws(StoreError) -> Int64?

    /// Changes a row that was kept back.
    /// - Parameter query: the update that would write the change.
    /// - Returns: false if the row was not kept back, or must be written before the change.
    func postpone(_ task: TaskRecord, _ query: Query, _ row: Int64) -> Bool

    /// Notes that a task was inserted.
    /// - Parameter row: its number; nil if the database tells it only later.
    func note(_ task: TaskRecord, insertedAs row: Int64?)

    /// Compiles a statement that runs only once.
    func statement(sql: String) throws(StoreError) -> Statement

    /// Runs several statements that succeed or fail together, independently of the transaction's other writes.
    func atomically(_ body: () throws(StoreError) -> Void) throws(StoreError)

    /// Has the group of writes synced before any of them returns, because something that was told or will be sent
    /// depends on one.
    func demandSync()

    /// Keeps other processes from what the lock stands for until the transaction ends.
    func lock(_ lock: StoreLock) throws(StoreError)

    /// Checks that no other process has made the same task.
    /// - Throws: `sentElsewhere`.
    func checkRivals(of task: NewTask) throws(StoreError)

    /// Checks the limits of running tasks that other processes' tasks count against as well.
    /// - Throws: `accountFull`, `keyFull` or `tenantFull`.
    func admit(_ task: NewTask) throws(StoreError)

    /// Checks that an account has room for one more task, beside those of all processes.
    /// - Throws: `accountFull`.
    func admit(to account: String, _ limits: SharedLimits) throws(StoreError)

    /// Tells the process that a task belongs to that another one has changed it, when the transaction is committed.
    func announce(_ task: TaskID) throws(StoreError)

    /// Returns what is in `usage` for some days of a tenant: the tasks that succeeded, and the units of all.
    func usage(of tenant: String, on days: Range<Int>) throws(StoreError) -> (tasks: Int64, units: Int64)
}

extension StoreConnection {
    var tasks: TaskRows<Self> { TaskRows(connection: self) }
    var usage: UsageRows<Self> { UsageRows(connection: self) }
    var jobs: JobRows<Self> { JobRows(connection: self) }
    var claims: ClaimRows<Self> { ClaimRows(connection: self) }
    var deliveries: DeliveryRows<Self> { DeliveryRows(connection: self) }

    func statement(_ query: Query, updating row: Int64) throws(StoreError) -> Statement {
        let update = try statement(query)
        update.bind(1, row)
        return update
    }

    func postpone(_ task: TaskRecord) -> Int64? { nil }

    func postpone(_ task: TaskRecord, _ query: Query, _ row: Int64) -> Bool { false }

    func note(_ task: TaskRecord, insertedAs row: Int64?) {
        if let row { recent.note(task, row: row, before: nil) }
    }

    /// Runs a statement that takes no values and returns no rows.
    func execute(_ query: Query) throws(StoreError) {
        let statement = try statement(query)
        try statement.execute()
    }
}

/// Makes the callbacks that the steps of tasks and jobs put into the outbox.
public struct StepCallbacks: Sendable {
    /// Returns the callback to send when a task that has a `callback_url` takes a step, or nil for none. `before` is
    /// nil for the first step. Called on a store thread inside the transaction, and again if that is repeated: it must
    /// be quick and must not use the store.
    public typealias Deliveries = @Sendable (_ before: TaskRecord?, _ after: TaskRecord) -> NewDelivery?

    /// Like ``Deliveries``, for a job that has a `callback_url`, whenever one of its tasks takes a step.
    public typealias JobDeliveries = @Sendable (_ before: JobRecord?, _ after: JobRecord) -> NewDelivery?

    var task: Deliveries = { _, _ in nil }
    var job: JobDeliveries = { _, _ in nil }

    func delivery(_ old: TaskRecord?, _ new: TaskRecord) -> NewDelivery? {
        new.callbackURL == nil ? nil : task(old, new)
    }

    func delivery(_ old: JobRecord?, _ new: JobRecord) -> NewDelivery? {
        new.callbackURL == nil ? nil : job(old, new)
    }
}
