internal import Base
internal import Dispatch
internal import GRDB

/// The only thread that writes. It puts all waiting writes into one transaction, so that one disk sync serves all of
/// them.
///
/// Under load, commits start at least ``SQLiteTaskStore/Options/gathering`` apart, unless enough writes are waiting:
/// that turns many small commits into a few large ones. Writes that come one at a time, like those of a single client,
/// never wait.
final class Writer: Sendable {
    /// The waiting writes.
    let queue: WorkQueue
    private let counts = Lock(StoreStatistics())

    /// Opens the connection and starts the thread.
    init(
        _ path: String, _ options: SQLiteTaskStore.Options, serving lock: ServeLock?, _ callbacks: StepCallbacks,
        ended: ThreadGroup
    ) throws(StoreError) {
        queue = WorkQueue(capacity: options.queueCapacity)
        let database = try StoreDatabase.writer(path, options, serving: lock)
        ended.enter()
        do {
            try StoreThread.start("store-writer") { [queue, counts] in
                WriterLoop(queue, counts, database, options, callbacks).run()
                try? database.close()
                ended.leave()
            }
        } catch {
            ended.leave()
            throw error
        }
    }

    /// Counts of commits since the store was opened.
    var statistics: StoreStatistics { counts.withLock { $0 } }
}

/// The state of the writer thread.
private final class WriterLoop {
    private static let batchLimit = 1024
    private static let enough = 64
    /// A transaction with this many writes means load.
    private static let load = 4
    private static let idle = DispatchTimeInterval.milliseconds(500)

    private let queue: WorkQueue
    private let counts: Lock<StoreStatistics>
    private let database: DatabaseQueue
    private let gathering: DispatchTimeInterval
    private var connection: SQLiteConnection?
    private var log: WriteAheadLog

    init(
        _ queue: WorkQueue, _ counts: Lock<StoreStatistics>, _ database: DatabaseQueue,
        _ options: SQLiteTaskStore.Options, _ callbacks: StepCallbacks
    ) {
        self.queue = queue
        self.counts = counts
        self.database = database
        gathering = .microseconds(Int(options.gathering / .microseconds(1)))
        connection = database.inDatabase { SQLiteConnection($0, callbacks) }
        log = database.inDatabase { WriteAheadLog($0, limit: options.logBytes) }
    }

    func run() {
        var batch: [Work] = []
        var gather: DispatchTime?
        while true {
            let idle: DispatchTime = log.isEmpty ? .distantFuture : .now() + Self.idle
            switch queue.take(&batch, limit: Self.batchLimit, gather: gather, enough: Self.enough, idle: idle) {
            case .closed: return end()
            case .idle: database.inDatabase { log.checkpointWhenIdle($0) }
            case .work:
                let start = DispatchTime.now()
                let failure = database.inDatabase { _ in commit(batch, since: start) }
                for work in batch { work.finish(failure) }
                gather = batch.count >= Self.load ? start + gathering : nil
                batch.removeAll(keepingCapacity: true)
                database.inDatabase { log.checkpointWhenLong($0) }
            }
        }
    }

    private func end() {
        database.inDatabase { database in
            connection = nil
            log.detach(database)
        }
    }

    /// Runs the whole batch in one transaction.
    /// - Returns: the error if the transaction failed as a whole, and with it everything in it.
    private func commit(_ batch: [Work], since start: DispatchTime) -> StoreError? {
        guard let connection else { return StoreError(.unavailable, "the store is closed") }
        let changesBefore = connection.database.totalChangesCount
        do throws(StoreError) {
            try connection.execute(.begin)
            try connection.dropCacheIfChangedElsewhere()
            for work in batch {
                // On some failures, such as a full disk, SQLite ends the whole transaction by itself.
                if let failure = work.run(on: connection), !connection.isInsideTransaction { throw failure }
            }
            try connection.execute(.commit)
        } catch {
            if connection.isInsideTransaction { try? connection.database.rollback() }
            connection.recent = RecentTasks()
            counts.withLock { $0.failures += 1 }
            return error
        }
        if connection.database.totalChangesCount != changesBefore { count(batch.count, since: start) }
        return nil
    }

    private func count(_ writes: Int, since start: DispatchTime) {
        let seconds = Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e9
        let logBytes = log.bytes
        counts.withLock { counts in
            counts.commits += 1
            counts.commitSeconds.record(seconds)
            counts.writesPerCommit.record(Double(writes))
            counts.logBytes = logBytes
        }
    }
}
