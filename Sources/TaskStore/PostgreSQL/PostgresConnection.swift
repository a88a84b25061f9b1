internal import PostgreSQL

/// A connection to a PostgreSQL database. Belongs to one thread.
///
/// A write that fails after it has sent something has spoiled its whole group: see ``PostgresCommits``.
final class PostgresConnection: StoreConnection {
    let callbacks: StepCallbacks
    var recent = RecentTasks()
    private(set) lazy var budgets = BudgetBooks<PostgresConnection>(self)
    /// Intents of earlier transactions, which need not be read.
    let intents = PostgresIntents()

    let pipeline: PostgresPipeline
    private var statements: [PostgresStatement?] = Array(repeating: nil, count: Query.allCases.count)
    var transaction = Transaction()

    /// What is known of the current transaction.
    struct Transaction {
        /// What it has locked.
        fileprivate var locked: Set<StoreLock> = []
        /// The running tasks that it has counted.
        fileprivate var running: [RunningOwner: Int] = [:]
        /// Its new tasks that other processes have made.
        var repeated: Set<TaskID> = []
        /// Whether it cannot be committed any more.
        fileprivate(set) var isSpoiled = false
        /// Its number in PostgreSQL, once it is known.
        fileprivate var number: String?
        fileprivate var isCommitting = false
    }

    /// Whether the process may only write as long as no other has taken over its tasks.
    private let isReplica: Bool

    init(_ session: PostgresSession, _ callbacks: StepCallbacks = StepCallbacks(), isReplica: Bool = false) {
        (self.callbacks, self.isReplica) = (callbacks, isReplica)
        pipeline = PostgresPipeline(session) { [intents] in intents.observe($0, $1) }
    }

    // MARK: Statements

    func statement(_ query: Query) -> PostgresStatement {
        if let statement = statements[query.rawValue] { return statement }
        let statement = PostgresStatement(
            PostgresDialect.sql(of: query), named: PostgresDialect.name(of: query), on: self)
        statements[query.rawValue] = statement
        return statement
    }

    func statement(_ query: Query, updating row: Int64) -> PostgresStatement {
        let update = statement(query)
        update.bind(1, row)
        update.writer = intents.takeWriter(of: row)
        return update
    }

    func statement(sql: String) -> PostgresStatement { statement(sql: sql, named: nil) }

    /// - Parameter name: under which the server keeps the statement for its next run; nil: it runs only once.
    func statement(sql: String, named name: String?) -> PostgresStatement {
        PostgresStatement(PostgresDialect.translate(sql), named: name, on: self)
    }

    /// Adds a run to the current write.
    func add(_ run: PostgresRun) { pipeline.add(run) }

    /// Runs statements and waits for the rows of all of them.
    func results(of runs: [PostgresRun]) throws(StoreError) -> [PostgresResult] {
        try spoiling { () throws(StoreError) in try pipeline.results(of: runs) }
    }

    func atomically(_ body: () throws(StoreError) -> Void) throws(StoreError) {
        let (mark, flushes, budgetMark) = (pipeline.mark, pipeline.flushes, budgets.mark)
        do throws(StoreError) {
            try body()
        } catch {
            if pipeline.flushes == flushes { pipeline.drop(after: mark) } else { transaction.isSpoiled = true }
            recent = RecentTasks()
            budgets.undo(after: budgetMark)
            throw error
        }
    }

    func note(_ task: TaskRecord, insertedAs row: Int64?) { intents.add(task) }

    /// Every commit is synced.
    func demandSync() {}

    // MARK: Transactions

    /// Begins a transaction, and forgets what other processes may have changed since the last one.
    /// - Returns: the results of `reads`, which are run first.
    /// - Throws: `replaced` if another process has taken over from this one.
    @discardableResult
    func begin(reading reads: [PostgresRun] = []) throws(StoreError) -> [PostgresResult] {
        transaction = Transaction()
        recent = RecentTasks(hasAllStates: true)
        budgets.forget()
        intents.begin()
        pipeline.begin()
        try send(PostgresRun(sql: "BEGIN", name: "begin", values: []))
        let results = try results(of: [statement(isReplica ? .fence : .transaction).run] + reads)
        guard results[0].count > 0 else {
            transaction.isSpoiled = true
            throw .replaced
        }
        transaction.number = results[0].text(0, 0)
        return Array(results.dropFirst())
    }

    /// Ends a write of the transaction.
    /// - Parameter isKept: whether it has succeeded; what it has to send is dropped otherwise.
    func endWrite(isKept: Bool) throws(StoreError) {
        if isKept {
            try spoiling { () throws(StoreError) in try pipeline.sendWaiting() }
            budgets.keep()
        } else if pipeline.flushes > 0 {
            transaction.isSpoiled = true
        }
        pipeline.beginWrite()
    }

    /// Commits the transaction.
    func commit() throws(StoreError) {
        transaction.isCommitting = true
        try send(PostgresRun(sql: "COMMIT", name: "commit", values: []))
        try spoiling { () throws(StoreError) in try pipeline.sync() }
        intents.commit(transaction.number)
    }

    /// Ends the transaction without any of its changes.
    /// - Throws: `unavailable` if the connection is lost.
    func rollBack() throws(StoreError) {
        recent = RecentTasks()
        budgets.forget()
        try spoiling { () throws(StoreError) in try pipeline.recover() }
    }

    /// Ends the reads that were run outside a transaction.
    func endReads() throws(StoreError) { try spoiling { () throws(StoreError) in try pipeline.sync() } }

    /// Sends a run at once, and not with the current write.
    private func send(_ run: PostgresRun) throws(StoreError) {
        try spoiling { () throws(StoreError) in try pipeline.send([run]) }
    }

    private func spoiling<Value>(_ body: () throws(StoreError) -> Value) throws(StoreError) -> Value {
        do throws(StoreError) {
            return try body()
        } catch {
            transaction.isSpoiled = true
            throw error
        }
    }

    // MARK: Failures

    /// Whether the connection cannot be used any more.
    var isLost: Bool { pipeline.failure?.isConnectionLost ?? false }

    /// Whether the transaction failed because another one was in its way.
    var wasInTheWay: Bool { pipeline.failure?.isPassing ?? false }

    /// The number of a transaction of which it is unknown whether it was committed.
    var unknownCommit: String? { transaction.isCommitting && isLost ? transaction.number : nil }

    // MARK: Sums by tenant

    func lock(_ lock: StoreLock) throws(StoreError) {
        guard transaction.locked.insert(lock).inserted else { return }
        let take = statement(.lock)
        take.bind(1, lock.name)
        // If the current write fails, the lock is held all the same.
        try send(take.run)
    }

    /// Counts running tasks, and one more in this transaction.
    /// - Throws: an error of this code if there would be more than `limit`.
    func count(_ owner: RunningOwner, upTo limit: Int, since time: Int64, else code: StoreError.Code) throws(StoreError)
    {
        try lock(owner.lock)
        let known: Int
        if let counted = transaction.running[owner] {
            known = counted
        } else {
            let select = statement(owner.query)
            select.bind(1, owner.name)
            select.bind(2, time)
            if case .key(let id, _) = owner { select.bind(3, id) }
            known = try select.first { Int($0.integer(0)) } ?? 0
        }
        guard known < limit else {
            transaction.running[owner] = known
            throw StoreError(code, "\(owner) has \(known) running tasks, and may have \(limit)")
        }
        transaction.running[owner] = known + 1
    }

    func announce(_ task: TaskID) {
        let announce = statement(.announceTask)
        announce.bind(1, task.description)
        // Its row says nothing, so it need not be waited for.
        announce.execute()
    }

    func usage(of tenant: String, on days: Range<Int>) throws(StoreError) -> (tasks: Int64, units: Int64) {
        let select = statement(.usageOnDays)
        select.bind(1, days.lowerBound)
        select.bind(2, days.upperBound)
        select.bind(3, tenant)
        return try select.first { ($0.integer(0), $0.integer(1)) } ?? (0, 0)
    }
}
