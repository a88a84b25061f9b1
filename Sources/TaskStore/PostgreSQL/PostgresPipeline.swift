internal import PostgreSQL

/// What a connection sends to the server, in order.
///
/// Statements that return no rows wait until their write has ended, so that one that fails takes back its own. What a
/// statement that returns rows must see is sent before it.
final class PostgresPipeline {
    private let session: PostgresSession
    /// What the current write has to send.
    private var waiting: [PostgresRun] = []
    /// The runs that were sent and whose results were not read.
    private var unread: [PostgresRun] = []
    /// Is told each result.
    private let observer: (PostgresRun, PostgresResult) -> Void
    /// How often something that waited was sent before its write has ended.
    private(set) var flushes = 0
    /// The last error of the database since ``begin()``.
    private(set) var failure: PostgresError?

    /// Whether a transaction may have failed because of one of its writes: by the write itself, or by its values (class 22
    /// and 23).
    var mayBeOneWritesFailure: Bool {
        guard let failure else { return true }
        return failure.sqlState.map { $0.hasPrefix("22") || $0.hasPrefix("23") } ?? false
    }

    init(_ session: PostgresSession, observer: @escaping (PostgresRun, PostgresResult) -> Void) {
        (self.session, self.observer) = (session, observer)
    }

    /// The end of what waits, for ``drop(after:)``.
    var mark: Int { waiting.count }

    /// Begins a transaction.
    func begin() {
        waiting.removeAll(keepingCapacity: true)
        (flushes, failure) = (0, nil)
    }

    /// Begins a write.
    func beginWrite() {
        waiting.removeAll(keepingCapacity: true)
        flushes = 0
    }

    /// Adds a run to the current write.
    func add(_ run: PostgresRun) { waiting.append(run) }

    /// Drops what waits and was added after a mark.
    func drop(after mark: Int) { waiting.removeLast(waiting.count - mark) }

    /// Sends what waits.
    func sendWaiting() throws(StoreError) {
        try send(waiting)
        waiting.removeAll(keepingCapacity: true)
    }

    /// Sends runs past what waits.
    func send(_ runs: [PostgresRun]) throws(StoreError) {
        try checked { () throws(PostgresError) in
            for run in runs {
                try session.send(run.sql, named: run.name, run.values)
                unread.append(run)
            }
        }
    }

    /// Runs statements and waits for the rows of all of them.
    func results(of runs: [PostgresRun]) throws(StoreError) -> [PostgresResult] {
        if runs.isEmpty { return [] }
        if !waiting.isEmpty { flushes += 1 }
        try sendWaiting()
        try send(runs)
        let results = try checked { () throws(PostgresError) in try session.results() }
        observe(results)
        return results.suffix(runs.count)
    }

    /// Waits for everything that was sent; what was sent outside a transaction is committed.
    func sync() throws(StoreError) { observe(try checked { () throws(PostgresError) in try session.sync() }) }

    /// Ends the transaction without any of its changes.
    func recover() throws(StoreError) {
        beginWrite()
        unread = []
        try checked { () throws(PostgresError) in try session.recover() }
    }

    private func observe(_ results: [PostgresResult]) {
        for (run, result) in zip(unread, results) { observer(run, result) }
        unread.removeAll(keepingCapacity: true)
    }

    private func checked<Value>(_ body: () throws(PostgresError) -> Value) throws(StoreError) -> Value {
        do throws(PostgresError) {
            return try body()
        } catch {
            failure = error
            throw StoreError(error)
        }
    }
}
