internal import Base

/// The connections to a store's file. A write is on disk when it returns: in a redo log beside the database if the
/// process serves, which the database follows within 200 ms, else in the database's write-ahead log
/// (`synchronous = FULL`).
struct SQLitePool: StorePool {
    private let threads: SQLiteThreads
    private let path: String
    private let lastCheck: Lock<LastCheck>
    /// Is added to the audit log with each write; nil: nothing is.
    private var audit: Audit?

    /// An entry on the heap, because the pool is copied for each write.
    private final class Audit: Sendable {
        let entry: AuditEntry

        init(_ entry: AuditEntry) { self.entry = entry }
    }

    private var writer: Writer { threads.writer }

    /// Opens the connections and starts the threads. This blocks the thread.
    init(
        _ path: String, _ options: SQLiteTaskStore.Options, serving lock: ServeLock?, _ callbacks: StepCallbacks
    ) throws(StoreError) {
        self.path = path
        lastCheck = Lock(LastCheck(interval: options.checkInterval))
        threads = try SQLiteThreads(path, options, serving: lock, callbacks)
    }

    var replicas: (any ReplicaStore)? { nil }
    var blobs: (any BlobStore)? { nil }

    func audited(_ entry: AuditEntry) -> SQLitePool {
        var pool = self
        pool.audit = Audit(entry)
        return pool
    }

    func write(
        _ durability: Durability, _ subject: @autoclosure () -> WriteSubject, _ wait: StoreWait,
        _ body: @escaping StoreBody<SQLiteConnection, Void>
    ) {
        var (durability, body) = (durability, body)
        if let audit { (durability, body) = (max(durability, .synced), Self.audited(body, audit.entry)) }
        // Nothing is read ahead or locked in a file that one process has for itself.
        writer.queue.append(Work(durability, .other, wait, body))
    }

    /// A write that adds `entry` to the audit log, too.
    private static func audited(
        _ body: @escaping StoreBody<SQLiteConnection, Void>, _ entry: AuditEntry
    ) -> StoreBody<SQLiteConnection, Void> {
        { connection throws(StoreError) in
            try connection.atomically { () throws(StoreError) in
                try body(connection)
                try connection.append(entry)
            }
        }
    }

    func read<Value: Sendable>(_ body: @escaping StoreBody<SQLiteConnection, Value>) async throws(StoreError) -> Value {
        _ = await failureToCommit()
        return try await Work.perform(in: threads.readers.queue, .written, .other, body)
    }

    func find<Value: Sendable>(_ body: @escaping StoreBody<SQLiteConnection, Value?>) async throws(StoreError) -> Value?
    {
        let failure = await failureToCommit()
        let found = try await Work.perform(in: threads.readers.queue, .written, .other, body)
        if found == nil, let failure { throw failure }
        return found
    }

    func readAtOnce<Value: Sendable>(_ body: @escaping StoreBody<SQLiteConnection, Value>) async throws(StoreError)
        -> Value
    {
        try await Work.perform(in: threads.keyReaders.queue, .written, .other, body)
    }

    /// Has readers see all writes that have returned.
    /// - Returns: why they do not.
    private func failureToCommit() async -> StoreError? {
        guard writer.lag.isLagging else { return nil }
        do throws(StoreError) {
            try await Work.perform(in: writer.queue, .committed, .other) { _ throws(StoreError) in () }
            return nil
        } catch {
            return error
        }
    }

    func check() async throws(StoreError) {
        try await check(lastCheck) { () throws(StoreError) in
            try await read { [path] _ throws(StoreError) in try StoreFile.checkFreeSpace(beside: path) }
            try await write(.committed) { connection throws(StoreError) in try connection.execute(.probe) }
        }
    }

    func close() async { await threads.close() }

    var statistics: StoreStatistics { threads.statistics }
}

/// The connections to the database: one writes, the others read, each on a thread of its own. The threads end when this
/// is closed or no longer used.
final class SQLiteThreads: Sendable {
    let writer: Writer
    let readers: Readers
    /// Reads keys, so that a revoked one is noticed at once, however much else is read.
    let keyReaders: Readers
    private let writerEnded = ThreadGroup()
    private let readersEnded = ThreadGroup()

    /// Opens the connections and starts the threads. This blocks the thread.
    init(
        _ path: String, _ options: SQLiteTaskStore.Options, serving lock: ServeLock?, _ callbacks: StepCallbacks
    ) throws(StoreError) {
        writer = try Writer(path, options, serving: lock, callbacks, ended: writerEnded)
        do throws(StoreError) {
            readers = try Readers(path, options, ended: readersEnded)
        } catch {
            writer.queue.close()
            throw error
        }
        do throws(StoreError) {
            var options = options
            (options.readers, options.readerCacheBytes) = (1, 256 << 10)
            keyReaders = try Readers(path, options, name: "key-reader", ended: readersEnded)
        } catch {
            readers.queue.close()
            writer.queue.close()
            throw error
        }
    }

    deinit {
        keyReaders.queue.close()
        readers.queue.close()
        writer.queue.close()
    }

    /// Finishes waiting writes and reads, refuses new ones, and closes the files.
    func close() async {
        keyReaders.queue.close()
        readers.queue.close()
        await readersEnded.waitForAll()
        // The writer closes last, because the last connection to close moves the log into the database.
        writer.queue.close()
        await writerEnded.waitForAll()
    }

    /// Counts since the connections were opened.
    var statistics: StoreStatistics {
        var statistics = writer.statistics
        statistics.waitingWrites = writer.queue.count
        statistics.waitingReads = readers.queue.count + keyReaders.queue.count
        return statistics
    }
}
