internal import Base
internal import Dispatch
internal import GRDB
internal import Synchronization

/// Makes each group of writes durable by one frame of the redo log, and commits to the database only now and then.
///
/// A write runs at once, in a transaction that stays open for a while, see ``SQLiteTaskStore/Options/databaseDelay``.
/// So a page that many writes change is written once, and a write is durable after one small sequential write and one
/// sync. After a crash the frames that the database lacks are replayed. For the one process that serves.
final class LoggedCommits: Commits {
    private static let idle = DispatchTimeInterval.milliseconds(500)
    private static let retry = DispatchTimeInterval.seconds(1)

    private enum Phase {
        /// The database has everything.
        case clean
        /// A transaction is open, since then.
        case open(since: DispatchTime)
        /// A transaction was lost, at that time. The redo log has the writes that were reported as made.
        case behind(since: DispatchTime)
    }

    private var connection: SQLiteConnection?
    private let redo: RedoLog
    /// The last frame that the database has.
    private var committed: Int64
    /// For how long a transaction stays open.
    private let databaseDelay: DispatchTimeInterval
    /// For how long the redo log stays unsynced.
    private let syncDelay: DispatchTimeInterval
    private let recorder = RedoRecorder()
    private var log: WriteAheadLog
    private let counts: CommitCounts
    private let lag: ReadersLag
    private var phase = Phase.clean {
        didSet { if case .clean = phase { lag.clear() } else { lag.set() } }
    }

    /// - Parameter lag: is kept up to date with whether readers do not see the last writes.
    init(
        _ database: Database, _ options: SQLiteTaskStore.Options, _ callbacks: StepCallbacks, _ counts: CommitCounts,
        _ redo: RedoLog, _ lag: ReadersLag
    ) {
        connection = SQLiteConnection(database, callbacks, recorder: recorder)
        log = WriteAheadLog(database, limit: options.logBytes)
        databaseDelay = .microseconds(Int(options.databaseDelay / .microseconds(1)))
        syncDelay = .microseconds(Int(options.syncDelay / .microseconds(1)))
        (self.redo, self.counts, self.lag) = (redo, counts, lag)
        committed = redo.sequence
    }

    func perform(_ batch: [Work<SQLiteConnection>]) {
        let start = DispatchTime.now()
        guard let connection else { return }
        do throws(StoreError) {
            try begin(connection, start)
            if try run(batch, on: connection) { counts.count(batch.count, since: start) }
        } catch {
            counts.fail()
            for work in batch { work.finish(error) }
            return
        }
        let waitsForCommit = batch.contains { $0.durability == .committed }
        if waitsForCommit {
            for work in batch where work.durability < .committed { work.finish(nil) }
            let failure = commit(connection)
            for work in batch where work.durability == .committed { work.finish(failure) }
        } else {
            for work in batch { work.finish(nil) }
            writeSettled(connection)
            if case .open(let since) = phase, end(ofTransaction: since) <= .now() { _ = commit(connection) }
        }
    }

    var due: DispatchTime? {
        switch phase {
        case .clean: log.isEmpty && redo.isEmpty ? nil : .now() + Self.idle
        case .open(let since): end(ofTransaction: since)
        case .behind(let since): since + Self.retry
        }
    }

    func tend() {
        guard let connection else { return }
        switch phase {
        case .clean:
            restartLog(connection)
            log.checkpointWhenIdle(connection.database)
        case .open: _ = commit(connection)
        case .behind:
            do throws(StoreError) { try begin(connection, .now()) } catch { phase = .behind(since: .now()) }
        }
    }

    func end() {
        guard let connection else { return }
        if case .open = phase { _ = commit(connection) }
        if case .clean = phase, restartLog(connection) { redo.remove() }
        log.detach(connection.database)
        self.connection = nil
    }

    // MARK: Groups

    private func begin(_ connection: SQLiteConnection, _ now: DispatchTime) throws(StoreError) {
        switch phase {
        case .open: return
        case .behind: try catchUp(connection)
        case .clean: break
        }
        try connection.begin()
        phase = .open(since: now)
    }

    /// - Returns: whether they have changed anything.
    private func run(_ batch: [Work<SQLiteConnection>], on connection: SQLiteConnection) throws(StoreError) -> Bool {
        do throws(StoreError) {
            try connection.run(batch)
            let isSyncDemanded = connection.takeSyncDemand()
            let hasChanges = !recorder.isEmpty
            try redo.write(
                recorder, isSynced: isSyncDemanded || batch.contains { $0.durability > .written })
            return hasChanges
        } catch {
            lose(connection)
            throw error
        }
    }

    /// Writes the rows that were kept back and will hardly change soon, while the clients of the group get their answers.
    /// The rest is left for the commit.
    private func writeSettled(_ connection: SQLiteConnection) {
        do throws(StoreError) {
            try connection.writePostponed(ifSettled: true)
        } catch {
            lose(connection)
            counts.fail()
        }
    }

    /// Ends a failed transaction, and forgets what was to be logged of it.
    private func lose(_ connection: SQLiteConnection) {
        connection.undo()
        recorder.drop()
        phase = redo.sequence == committed ? .clean : .behind(since: .now())
    }

    // MARK: Commits

    /// Commits the open transaction.
    /// - Returns: the error if it failed. What the redo log has is not lost by that.
    private func commit(_ connection: SQLiteConnection) -> StoreError? {
        do throws(StoreError) {
            try redo.syncIfNeeded()
            if redo.sequence > committed { try keepMark(connection) }
            try connection.execute(.commit)
        } catch {
            lose(connection)
            counts.fail()
            return error
        }
        committed = redo.sequence
        phase = .clean
        counts.note(logBytes: log.bytes)
        if log.isLong || redo.isLong { shortenLogs(connection) }
        return nil
    }

    /// When the transaction that began at `since` should be committed.
    private func end(ofTransaction since: DispatchTime) -> DispatchTime {
        let end = since + databaseDelay
        return redo.unsyncedSince.map { min($0 + syncDelay, end) } ?? end
    }

    /// Moves everything into the database, which syncs it. So both logs start again after one wait for the disk.
    private func shortenLogs(_ connection: SQLiteConnection) {
        if log.checkpoint(connection.database) {
            restartRedo()
        } else if redo.isLong {
            restartLog(connection)
        }
    }

    private func keepMark(_ connection: SQLiteConnection) throws(StoreError) {
        let mark = try connection.statement(.keepRedoMark)
        mark.bind(1, redo.sequence)
        try mark.execute()
    }

    /// Makes room in the redo log, as soon as the database is synced.
    @discardableResult
    private func restartLog(_ connection: SQLiteConnection) -> Bool {
        if redo.isEmpty { return true }
        do throws(StoreError) {
            try syncDatabase(connection)
            return true
        } catch {
            counts.fail()
            return false
        }
    }

    /// Replays what a lost transaction has taken with it.
    private func catchUp(_ connection: SQLiteConnection) throws(StoreError) {
        try Replay(database: connection.database).apply(try redo.frames(), from: redo.path)
        try syncDatabase(connection)
        committed = redo.sequence
        phase = .clean
    }

    private func syncDatabase(_ connection: SQLiteConnection) throws(StoreError) {
        try Replay(database: connection.database).sync()
        restartRedo()
    }

    private func restartRedo() {
        redo.restart()
        recorder.restart()
    }
}

/// Whether readers do not see the last writes. Written by the writer's thread, read by any.
final class ReadersLag: Sendable {
    private let value = Atomic(false)

    var isLagging: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
    func clear() { value.store(false, ordering: .releasing) }
}
