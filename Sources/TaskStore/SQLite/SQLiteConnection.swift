internal import GRDB

/// A connection to the database, with its prepared statements and its view of each table. Belongs to one thread, and is
/// used inside its queue's `inDatabase`.
final class SQLiteConnection: StoreConnection {
    /// The connection as GRDB sees it.
    let database: Database
    /// Makes the callbacks for steps of tasks and jobs.
    let callbacks: StepCallbacks
    /// A cache of rows that are also in the file, used by the connection that writes.
    var recent = RecentTasks()
    /// Whether a write since ``takeSyncDemand()`` must survive a power cut, whatever its caller asked for.
    private var isSyncDemanded = false
    private var prepared: [PreparedStatement?] = Array(repeating: nil, count: Query.allCases.count)
    /// Collects what is written, for the redo log; nil: nothing is collected.
    private let recorder: RedoRecorder?
    /// Tasks that only the redo log has.
    var unwritten = UnwrittenTasks()
    private var logged: [RecordedStatement?] = Array(repeating: nil, count: Query.allCases.count)
    /// Whether statements that succeed or fail together are running.
    private(set) var isAtomic = false

    init(_ database: Database, _ callbacks: StepCallbacks = StepCallbacks(), recorder: RedoRecorder? = nil) {
        self.database = database
        self.callbacks = callbacks
        self.recorder = recorder
    }

    /// What budgets have left, used by the connection that writes.
    private(set) lazy var budgets = BudgetBooks<SQLiteConnection>(self)

    /// Returns the statement of `query`, which is compiled on first use.
    func statement(_ query: Query) throws(StoreError) -> PreparedStatement {
        if !query.leavesTasks {
            try writePostponed()
            unwritten.forgetNextRow()
        }
        if let statement = prepared[query.rawValue] { return statement }
        do {
            let statement = try database.makeStatement(sql: query.sql)
            let record = query.isRecorded(statement) ? recorder : nil
            let prepared = PreparedStatement(
                statement, record: record.map { RecordedStatement(UInt16(query.rawValue), query.sql, $0) })
            self.prepared[query.rawValue] = prepared
            return prepared
        } catch {
            throw StoreError(error)
        }
    }

    /// Returns what the redo log gets for a run of `query` that SQLite does not run now; nil if there is no log.
    func logged(_ query: Query) -> RecordedStatement? {
        if let statement = logged[query.rawValue] { return statement }
        logged[query.rawValue] = recorder.map { RecordedStatement(UInt16(query.rawValue), query.sql, $0) }
        return logged[query.rawValue]
    }

    /// Runs several statements that succeed or fail together, independently of the transaction's other writes.
    func atomically(_ body: () throws(StoreError) -> Void) throws(StoreError) {
        let (mark, budgetMark) = (recorder?.mark, budgets.mark)
        try execute(.savepoint)
        isAtomic = true
        defer { isAtomic = false }
        do throws(StoreError) {
            try body()
            try execute(.release)
        } catch {
            // Some failures, such as a full disk, end the whole transaction.
            if isInsideTransaction {
                try execute(.rollback)
                try execute(.release)
            }
            if let mark { recorder?.drop(after: mark) }
            // Steps inside `body` may have cached what is undone now.
            recent = RecentTasks(dataVersion: recent.dataVersion)
            budgets.undo(after: budgetMark)
            throw error
        }
    }

    func statement(sql: String) throws(StoreError) -> PreparedStatement {
        try writePostponed()
        unwritten.forgetNextRow()
        do {
            return PreparedStatement(try database.makeStatement(sql: sql))
        } catch {
            throw StoreError(error)
        }
    }

    /// Has the group of writes synced before any of them returns, because something that was told or will be sent
    /// depends on one.
    func demandSync() { isSyncDemanded = true }

    /// Whether a write of the group demanded a sync.
    func takeSyncDemand() -> Bool {
        defer { isSyncDemanded = false }
        return isSyncDemanded
    }

    /// Drops what is cached if another connection has written since. Call it inside the transaction.
    func dropCachesIfChangedElsewhere() throws(StoreError) {
        let version = try statement(.dataVersion).first { $0.integer(0) } ?? 0
        guard version != recent.dataVersion else { return }
        unwritten.forgetNextRow()
        recent = RecentTasks(dataVersion: version)
        budgets.forget()
    }

    /// Drops what is cached and what was kept back, because it was rolled back.
    func dropCaches() {
        unwritten = UnwrittenTasks()
        recent = RecentTasks()
        budgets.forget()
    }

    /// Whether SQLite has a transaction open.
    var isInsideTransaction: Bool { database.isInsideTransaction }

    // MARK: Sums by tenant

    /// No other process changes anything: the transaction has the file's only lock for writing.
    func lock(_ lock: StoreLock) {}

    /// One process makes all tasks, and counts them itself.
    func checkRivals(of task: NewTask) {}
    func admit(_ task: NewTask) {}
    func admit(to account: String, _ limits: SharedLimits) {}

    func announce(_ task: TaskID) {}

    /// The key of `usage` begins with the day, so each day is a look-up of its own.
    func usage(of tenant: String, on days: Range<Int>) throws(StoreError) -> (tasks: Int64, units: Int64) {
        guard let first = try statement(.firstUsageDay).first({ $0.optionalInteger(0) }) ?? nil else { return (0, 0) }
        let last = try statement(.lastUsageDay).first { Int($0.integer(0)) } ?? Int(first)
        let select = try statement(.usageOnDay)
        var sum: (tasks: Int64, units: Int64) = (0, 0)
        for day in days.clamped(to: Int(first)..<last + 1) {
            select.bind(1, day)
            select.bind(2, tenant)
            let (tasks, units) = try select.first { ($0.integer(0), $0.integer(1)) } ?? (0, 0)
            sum = (sum.tasks + tasks, sum.units + units)
        }
        return sum
    }
}

extension Query {
    /// Whether the redo log has the runs of the statement: it changes records. What has been replayed is not a record,
    /// and transactions are not part of the log.
    func isRecorded(_ statement: Statement) -> Bool {
        switch self {
        case .begin, .commit, .savepoint, .release, .rollback, .keepRedoMark, .insertWholeTask: false
        default: !statement.isReadonly
        }
    }
}
