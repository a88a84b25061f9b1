internal import Base
internal import Dispatch
internal import GRDB

/// The only thread that writes. It hands all waiting writes to ``Commits`` as one group, so that one sync serves all of
/// them.
///
/// Under load, groups start at least ``SQLiteTaskStore/Options/gathering`` apart, unless enough writes are waiting: that
/// turns many small groups into a few large ones. Writes that come one at a time, like those of a single client, never
/// wait.
final class Writer: Sendable {
    /// The waiting writes.
    let queue: WorkQueue<SQLiteConnection>
    /// Whether readers do not see the last writes.
    let lag = ReadersLag()
    private let counts = CommitCounts()

    /// Opens the connection and starts the thread.
    init(
        _ path: String, _ options: SQLiteTaskStore.Options, serving lock: ServeLock?, _ callbacks: StepCallbacks,
        ended: ThreadGroup
    ) throws(StoreError) {
        queue = WorkQueue(capacity: options.queueCapacity)
        let database = try StoreDatabase.writer(path, options, serving: lock)
        let redo = lock == nil ? nil : try StoreDatabase.redoLog(database, path, options)
        ended.enter()
        do {
            try StoreThread.start("store-writer") { [queue, counts, lag] in
                database.inDatabase { connection in
                    let commits: any Commits =
                        redo.map { LoggedCommits(connection, options, callbacks, counts, $0, lag) }
                        ?? DirectCommits(connection, options, callbacks, counts)
                    Self.run(queue, commits, gathering: options.gathering)
                }
                try? database.close()
                ended.leave()
            }
        } catch {
            ended.leave()
            throw error
        }
    }

    /// Counts of commits since the store was opened.
    var statistics: StoreStatistics { counts.values }

    private static let batchLimit = 1024
    private static let enough = 64
    /// A group of this many writes means load.
    private static let load = 4

    private static func run(_ queue: WorkQueue<SQLiteConnection>, _ commits: any Commits, gathering: Duration) {
        let gathering = DispatchTimeInterval.microseconds(Int(gathering / .microseconds(1)))
        var batch: [Work<SQLiteConnection>] = []
        var gather: DispatchTime?
        while true {
            let due = commits.due ?? .distantFuture
            switch queue.take(&batch, limit: batchLimit, gather: gather, enough: enough, idle: due) {
            case .closed: return commits.end()
            case .idle: commits.tend()
            case .work:
                let start = DispatchTime.now()
                commits.perform(batch)
                gather = batch.count >= load ? start + gathering : nil
                batch.removeAll(keepingCapacity: true)
            }
        }
    }
}
