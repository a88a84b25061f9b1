internal import Base
internal import Dispatch
internal import GRDB

/// The only thread that writes. It hands all waiting writes to ``Commits`` as one group, so that one sync serves all of
/// them.
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
                    let commits: any Commits<SQLiteConnection> =
                        redo.map { LoggedCommits(connection, options, callbacks, counts, $0, lag) }
                        ?? DirectCommits(connection, options, callbacks, counts)
                    WriteLoop.run(queue, commits, gathering: options.gathering)
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
}
