internal import Dispatch
internal import GRDB

/// Commits each group of writes to the database, with a sync: for commands, which share the database with a gateway.
final class DirectCommits: Commits {
    private static let idle = DispatchTimeInterval.milliseconds(500)

    private var connection: SQLiteConnection?
    private var log: WriteAheadLog
    private let counts: CommitCounts

    init(_ database: Database, _ options: SQLiteTaskStore.Options, _ callbacks: StepCallbacks, _ counts: CommitCounts) {
        connection = SQLiteConnection(database, callbacks)
        log = WriteAheadLog(database, limit: options.logBytes)
        self.counts = counts
    }

    func perform(_ batch: [Work<SQLiteConnection>]) {
        let start = DispatchTime.now()
        guard let connection else { return }
        let failure = commit(batch, on: connection, since: start)
        for work in batch { work.finish(failure) }
        if log.isLong { log.checkpoint(connection.database) }
    }

    var due: DispatchTime? { log.isEmpty ? nil : .now() + Self.idle }

    func tend() { if let connection { log.checkpointWhenIdle(connection.database) } }

    func end() {
        if let connection { log.detach(connection.database) }
        connection = nil
    }

    /// Runs the whole group in one transaction.
    /// - Returns: the error if the transaction failed as a whole, and with it everything in it.
    private func commit(_ batch: [Work<SQLiteConnection>], on connection: SQLiteConnection, since start: DispatchTime)
        -> StoreError?
    {
        let changesBefore = connection.database.totalChangesCount
        do throws(StoreError) {
            try connection.begin()
            try connection.run(batch)
            try connection.execute(.commit)
        } catch {
            connection.undo()
            counts.fail()
            return error
        }
        counts.note(logBytes: log.bytes)
        if connection.database.totalChangesCount != changesBefore { counts.count(batch.count, since: start) }
        return nil
    }
}

extension SQLiteConnection {
    /// Begins a transaction that writes.
    func begin() throws(StoreError) {
        try execute(.begin)
        try dropCachesIfChangedElsewhere()
    }

    /// Runs a group of writes inside the transaction.
    /// - Throws: the error that has ended the transaction, with everything in it. Other failures are a write's own.
    func run(_ batch: [Work<SQLiteConnection>]) throws(StoreError) {
        for work in batch {
            // On some failures, such as a full disk, SQLite ends the whole transaction by itself.
            if let failure = work.run(on: self), !isInsideTransaction { throw failure }
            budgets.keep()
        }
    }

    /// Ends a failed transaction, if SQLite has not done so already.
    func undo() {
        if isInsideTransaction { try? database.rollback() }
        dropCaches()
    }
}
