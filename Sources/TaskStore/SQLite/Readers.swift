internal import GRDB

/// The threads that read, each with its own connection.
final class Readers: Sendable {
    /// The waiting reads.
    let queue: WorkQueue<SQLiteConnection>

    /// Opens the connections and starts the threads.
    init(
        _ path: String, _ options: SQLiteTaskStore.Options, name: String = "store-reader", ended: ThreadGroup
    ) throws(StoreError) {
        queue = WorkQueue(capacity: options.queueCapacity)
        for number in 0..<options.readers {
            ended.enter()
            do {
                let database = try StoreDatabase.reader(path, options)
                try StoreThread.start("\(name)-\(number)") { [queue] in Self.run(queue, database, ended) }
            } catch {
                ended.leave()
                queue.close()
                throw StoreError(error)
            }
        }
    }

    private static func run(_ queue: WorkQueue<SQLiteConnection>, _ database: DatabaseQueue, _ ended: ThreadGroup) {
        var connection = database.inDatabase { Optional(SQLiteConnection($0)) }
        var batch: [Work<SQLiteConnection>] = []
        while let open = connection, queue.take(&batch, limit: 8) == .work {
            database.inDatabase { _ in
                for work in batch {
                    _ = work.run(on: open)
                    work.finish(nil)
                }
            }
            batch.removeAll(keepingCapacity: true)
        }
        database.inDatabase { _ in connection = nil }
        try? database.close()
        ended.leave()
    }
}
