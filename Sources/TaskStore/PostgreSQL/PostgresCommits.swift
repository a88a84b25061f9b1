internal import Base
internal import Dispatch
internal import PostgreSQL

/// Commits each group of writes as one transaction, which takes two or three round trips.
///
/// A write that fails before it has sent anything leaves the others alone. If the database refuses one's values, or one
/// fails later, the group's halves are repeated, so that in the end each failure is its own. What fails for another
/// reason, such as a lock that others hold, fails for the whole group.
final class PostgresCommits: Commits {
    /// How often a transaction is repeated that another one was in the way of.
    private static let attempts = 5

    private let server: PostgresServer
    private let callbacks: StepCallbacks
    private let counts: CommitCounts
    private var connection: PostgresConnection?

    init(_ server: PostgresServer, _ callbacks: StepCallbacks, _ counts: CommitCounts) {
        (self.server, self.callbacks, self.counts) = (server, callbacks, counts)
        // Before clients take up all descriptors.
        _ = try? open()
    }

    var due: DispatchTime? { nil }
    func tend() {}
    func end() { connection = nil }

    func perform(_ batch: [Work<PostgresConnection>]) { perform(batch[...]) }

    private func perform(_ group: ArraySlice<Work<PostgresConnection>>) {
        let start = DispatchTime.now()
        let hadConnection = connection != nil
        var failure = attempt(group)
        // A connection that was open may have been lost since the last group, and it is known that nothing was committed.
        if failure.map({ $0.code != .outcomeUnknown }) ?? false, hadConnection, connection == nil {
            failure = attempt(group)
        }
        for _ in 1..<Self.attempts where connection?.wasInTheWay == true { failure = attempt(group) }
        guard let failure else {
            counts.count(group.count, since: start)
            for work in group { work.finish(nil) }
            return
        }
        counts.fail()
        if group.count > 1, connection?.pipeline.mayBeOneWritesFailure == true {
            let middle = group.startIndex + group.count / 2
            perform(group[..<middle])
            perform(group[middle...])
        } else {
            for work in group { work.finish(failure) }
        }
    }

    /// Runs a group in a transaction and commits it.
    /// - Returns: the error if nothing was committed.
    private func attempt(_ group: ArraySlice<Work<PostgresConnection>>) -> StoreError? {
        do throws(StoreError) {
            let connection = try open()
            do throws(StoreError) {
                try run(group, on: connection)
                try connection.commit()
            } catch {
                if connection.isLost, let transaction = connection.unknownCommit {
                    self.connection = nil
                    return try isCommitted(transaction) ? nil : error
                }
                try connection.rollBack()
                throw error
            }
            return nil
        } catch {
            if connection?.isLost == true { connection = nil }
            return error
        }
    }

    private func run(
        _ group: ArraySlice<Work<PostgresConnection>>, on connection: PostgresConnection
    ) throws(StoreError) {
        try connection.begin(group.map(\.subject))
        for work in group {
            let failure = work.run(on: connection)
            try connection.endWrite(isKept: failure == nil)
            if connection.transaction.isSpoiled { throw failure ?? StoreError(.unavailable, "the transaction failed") }
        }
    }

    private func open() throws(StoreError) -> PostgresConnection {
        if let connection { return connection }
        do throws(PostgresError) {
            let session = try server.connect("writer")
            try server.makeDurable(session)
            try server.abandonWithClient(session)
            try session.startPipeline()
            let opened = PostgresConnection(session, callbacks, isReplica: server.replica != 0)
            connection = opened
            return opened
        } catch {
            throw StoreError(error)
        }
    }

    /// Finds out whether a transaction was committed whose connection was lost during its commit.
    ///
    /// Its number alone does not tell (`pg_xact_status`): a server that has crashed, or a standby that was promoted, gives
    /// the numbers of transactions that it has lost to others. Its mark is there only if it is.
    /// - Returns: false also if another process has taken over meanwhile, and with it the task of finding that out.
    /// - Throws: `outcomeUnknown` if the mark cannot be read in time.
    private func isCommitted(_ transaction: String) throws(StoreError) -> Bool {
        guard server.replica != 0 else {
            let detail = "the connection to PostgreSQL was lost during the commit: see whether the change was made"
            throw StoreError(.outcomeUnknown, detail)
        }
        let deadline = MonotonicTime.now + server.options.patience
        while true {
            do throws(PostgresError) {
                return try lastCommit() == transaction
            } catch {
                if MonotonicTime.now >= deadline { throw StoreError(.outcomeUnknown, error.description) }
            }
            StoreThread.pause(.milliseconds(50))
        }
    }

    /// Reads the mark of this process's last commit, once no transaction that may replace it is open. Taking the lock is a
    /// commit of its own, which waits until a synchronous standby has everything before it too.
    private func lastCommit() throws(PostgresError) -> String? {
        let session = try server.connect("commit check")
        try server.makeDurable(session)
        try server.abandonWithClient(session)
        try session.startPipeline()
        let sql = "SELECT transaction::text FROM commits WHERE replica = \(PostgresDialect.replica) FOR UPDATE"
        try session.send(sql, named: nil, [])
        let result = try session.result()
        try session.sync()
        return result.count > 0 ? result.text(0, 0) : nil
    }
}
