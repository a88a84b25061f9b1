internal import GRDB

/// A connection to the database, with its prepared statements and its view of each table. Belongs to one thread, and is
/// used inside its queue's `inDatabase`.
final class SQLiteConnection {
    /// The connection as GRDB sees it.
    let database: Database
    /// Makes the callbacks for steps of tasks and jobs.
    let callbacks: StepCallbacks
    /// A cache of rows that are also in the file, used by the connection that writes.
    var recent = RecentTasks()
    private var prepared: [PreparedStatement?] = Array(repeating: nil, count: Query.allCases.count)

    init(_ database: Database, _ callbacks: StepCallbacks = StepCallbacks()) {
        self.database = database
        self.callbacks = callbacks
    }

    var tasks: TaskRows { TaskRows(connection: self) }
    var jobs: JobRows { JobRows(connection: self) }
    var claims: ClaimRows { ClaimRows(connection: self) }
    var deliveries: DeliveryRows { DeliveryRows(connection: self) }

    /// Returns the statement of `query`, which is compiled on first use.
    func statement(_ query: Query) throws(StoreError) -> PreparedStatement {
        if let statement = prepared[query.rawValue] { return statement }
        do {
            let statement = PreparedStatement(try database.makeStatement(sql: query.sql))
            prepared[query.rawValue] = statement
            return statement
        } catch {
            throw StoreError(error)
        }
    }

    /// Runs a statement that takes no values and returns no rows.
    func execute(_ query: Query) throws(StoreError) {
        let statement = try statement(query)
        try statement.execute()
    }

    /// Runs several statements that succeed or fail together, independently of the transaction's other writes.
    func atomically(_ body: () throws(StoreError) -> Void) throws(StoreError) {
        try execute(.savepoint)
        do throws(StoreError) {
            try body()
            try execute(.release)
        } catch {
            // Some failures, such as a full disk, end the whole transaction.
            if isInsideTransaction {
                try execute(.rollback)
                try execute(.release)
            }
            // Steps inside `body` may have cached what is undone now.
            recent = RecentTasks(dataVersion: recent.dataVersion)
            throw error
        }
    }

    /// Drops the cache of recent tasks if another connection has written since. Call it inside the transaction.
    func dropCacheIfChangedElsewhere() throws(StoreError) {
        let version = try statement(.dataVersion).first { $0.integer(0) } ?? 0
        if version != recent.dataVersion { recent = RecentTasks(dataVersion: version) }
    }

    /// Whether SQLite has a transaction open.
    var isInsideTransaction: Bool { database.isInsideTransaction }
}

/// Makes the callbacks that the steps of tasks and jobs put into the outbox.
struct StepCallbacks: Sendable {
    var task: SQLiteTaskStore.Deliveries = { _, _ in nil }
    var job: SQLiteTaskStore.JobDeliveries = { _, _ in nil }

    func delivery(_ old: TaskRecord?, _ new: TaskRecord) -> NewDelivery? {
        new.callbackURL == nil ? nil : task(old, new)
    }

    func delivery(_ old: JobRecord?, _ new: JobRecord) -> NewDelivery? {
        new.callbackURL == nil ? nil : job(old, new)
    }
}
