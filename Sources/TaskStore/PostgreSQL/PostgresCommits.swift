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
        var failure = attempt(group)
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
            if connection.isSpoiled { throw failure ?? StoreError(.unavailable, "the transaction failed") }
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
    /// - Throws: `unavailable` if the server is not found again in time.
    private func isCommitted(_ transaction: String) throws(StoreError) -> Bool {
        let deadline = MonotonicTime.now + server.options.patience
        while true {
            do throws(PostgresError) {
                let session = try server.connect("commit check")
                switch try session.execute("SELECT pg_xact_status('\(transaction)'::xid8)") {
                case "committed": return true
                case "aborted", nil: return false
                default: break  // It is still in progress: the server has not noticed yet that its client is gone.
                }
            } catch {
                if MonotonicTime.now >= deadline { throw StoreError(error) }
            }
            if MonotonicTime.now >= deadline {
                throw StoreError(.unavailable, "whether a transaction was committed was not found out in time")
            }
            StoreThread.pause(.milliseconds(50))
        }
    }
}
