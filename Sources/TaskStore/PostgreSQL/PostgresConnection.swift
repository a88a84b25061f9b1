internal import PostgreSQL

/// A connection to a PostgreSQL database. Belongs to one thread.
///
/// Statements that return no rows wait in ``waiting`` until their write has ended: one that fails takes back its own.
/// What a statement that returns rows must see is sent before it. A write that fails after that has spoiled its whole
/// group: see ``PostgresGroup``.
final class PostgresConnection: StoreConnection {
    let callbacks: StepCallbacks
    var recent = RecentTasks()
    private(set) lazy var budgets = BudgetBooks<PostgresConnection>(self)

    private let session: PostgresSession
    private var statements: [PostgresStatement?] = Array(repeating: nil, count: Query.allCases.count)
    /// What the current write has to send.
    private var waiting: [PostgresRun] = []
    /// How often something of ``waiting`` was sent before its write has ended.
    private var flushes = 0
    private var transaction = Transaction()
    /// Whether the process may only write as long as no other has taken over its tasks.
    private let isReplica: Bool

    init(_ session: PostgresSession, _ callbacks: StepCallbacks = StepCallbacks(), isReplica: Bool = false) {
        (self.session, self.callbacks, self.isReplica) = (session, callbacks, isReplica)
    }

    // MARK: Statements

    func statement(_ query: Query) -> PostgresStatement {
        if let statement = statements[query.rawValue] { return statement }
        let statement = PostgresStatement(query.postgresSQL, named: "q\(query.rawValue)", on: self)
        statements[query.rawValue] = statement
        return statement
    }

    func statement(sql: String) -> PostgresStatement { statement(sql: sql, named: nil) }

    /// - Parameter name: under which the server keeps the statement for its next run; nil: it runs only once.
    func statement(sql: String, named name: String?) -> PostgresStatement {
        PostgresStatement(PostgresDialect.translate(sql), named: name, on: self)
    }

    /// Adds a run to the current write.
    func add(_ run: PostgresRun) { waiting.append(run) }

    /// Runs a statement and waits for its rows.
    func result(of run: PostgresRun) throws(StoreError) -> PostgresResult {
        guard let result = try results(of: [run]).last else { preconditionFailure("each run has a result") }
        return result
    }

    /// Runs statements and waits for the rows of all of them.
    func results(of runs: [PostgresRun]) throws(StoreError) -> [PostgresResult] {
        if runs.isEmpty { return [] }
        try send(waiting)
        if !waiting.isEmpty { flushes += 1 }
        waiting.removeAll(keepingCapacity: true)
        try send(runs)
        return try checked { () throws(PostgresError) in try session.results().suffix(runs.count) }
    }

    func atomically(_ body: () throws(StoreError) -> Void) throws(StoreError) {
        let (mark, flushesBefore, budgetMark) = (waiting.count, flushes, budgets.mark)
        do throws(StoreError) {
            try body()
        } catch {
            if flushes == flushesBefore {
                waiting.removeLast(waiting.count - mark)
            } else {
                transaction.isSpoiled = true
            }
            recent = RecentTasks()
            budgets.undo(after: budgetMark)
            throw error
        }
    }

    /// Every commit is synced.
    func demandSync() {}

    // MARK: Transactions

    /// Begins a transaction, and forgets what other processes may have changed since the last one.
    /// - Returns: the results of `reads`, which are run first.
    /// - Throws: `unavailable` if another process has taken over from this one.
    @discardableResult
    func begin(reading reads: [PostgresRun] = []) throws(StoreError) -> [PostgresResult] {
        transaction = Transaction()
        waiting.removeAll(keepingCapacity: true)
        recent = RecentTasks(hasAllStates: true)
        budgets.forget()
        try send([PostgresRun(sql: "BEGIN", name: "begin", values: [])])
        let checks = [statement(.transaction).run] + (isReplica ? [statement(.fence).run] : [])
        let results = try results(of: checks + reads)
        transaction.number = results[0].text(0, 0)
        if isReplica, results[1].count == 0 {
            transaction.isSpoiled = true
            throw StoreError(.unavailable, "another gateway has taken over this one's tasks")
        }
        return Array(results.dropFirst(checks.count))
    }

    /// Ends what is read before the first write.
    func endReadAhead() { flushes = 0 }

    /// Ends a write of the transaction.
    /// - Parameter isKept: whether it has succeeded; what it has to send is dropped otherwise.
    func endWrite(isKept: Bool) throws(StoreError) {
        if isKept {
            try send(waiting)
            budgets.keep()
        } else if flushes > 0 {
            transaction.isSpoiled = true
        }
        waiting.removeAll(keepingCapacity: true)
        flushes = 0
    }

    /// Commits the transaction.
    func commit() throws(StoreError) {
        transaction.isCommitting = true
        try send([PostgresRun(sql: "COMMIT", name: "commit", values: [])])
        try checked { () throws(PostgresError) in try session.sync() }
    }

    /// Ends the transaction without any of its changes.
    /// - Throws: `unavailable` if the connection is lost.
    func rollBack() throws(StoreError) {
        recent = RecentTasks()
        budgets.forget()
        waiting.removeAll(keepingCapacity: true)
        flushes = 0
        try checked { () throws(PostgresError) in try session.recover() }
    }

    /// Ends the reads that were run outside a transaction.
    func endReads() throws(StoreError) { try checked { () throws(PostgresError) in try session.sync() } }

    private func send(_ runs: [PostgresRun]) throws(StoreError) {
        try checked { () throws(PostgresError) in
            for run in runs { try session.send(run.sql, named: run.name, run.values) }
        }
    }

    private func checked<Value>(_ body: () throws(PostgresError) -> Value) throws(StoreError) -> Value {
        do throws(PostgresError) {
            return try body()
        } catch {
            (transaction.isSpoiled, transaction.failure) = (true, error)
            throw StoreError(error)
        }
    }

    // MARK: Failures

    /// Whether the transaction cannot be committed any more.
    var isSpoiled: Bool { transaction.isSpoiled }

    /// Whether the connection cannot be used any more.
    var isLost: Bool { transaction.failure?.isConnectionLost ?? false }

    /// Whether the transaction failed because another one was in its way.
    var wasInTheWay: Bool { transaction.failure?.isPassing ?? false }

    /// The number of a transaction of which it is unknown whether it was committed.
    var unknownCommit: String? { transaction.isCommitting && isLost ? transaction.number : nil }

    // MARK: Sums by tenant

    func lock(_ lock: StoreLock) throws(StoreError) {
        guard transaction.locked.insert(lock).inserted else { return }
        let take = statement(.lock)
        take.bind(1, lock.name)
        // At once, and not with the current write: if that fails, the lock is held all the same.
        try send([take.run])
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

extension PostgresConnection {
    /// What is known of the current transaction.
    private struct Transaction {
        /// What it has locked.
        var locked: Set<StoreLock> = []
        /// The running tasks that it has counted.
        var running: [RunningOwner: Int] = [:]
        /// Whether it cannot be committed any more.
        var isSpoiled = false
        /// The last error of the database.
        var failure: PostgresError?
        /// Its number in PostgreSQL, once that is known.
        var number: String?
        var isCommitting = false
    }
}
