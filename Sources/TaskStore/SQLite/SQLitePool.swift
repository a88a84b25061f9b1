/// What the parts of the store read and write through.
struct SQLitePool: Sendable {
    private let threads: SQLiteThreads
    /// Is added to the audit log with each write; nil: nothing is.
    private var audit: AuditEntry?

    private var writer: Writer { threads.writer }

    /// Opens the connections and starts the threads. This blocks the thread.
    init(
        _ path: String, _ options: SQLiteTaskStore.Options, serving lock: ServeLock?, _ callbacks: StepCallbacks
    ) throws(StoreError) {
        threads = try SQLiteThreads(path, options, serving: lock, callbacks)
    }

    /// The same pool, which adds an entry to the audit log with each write.
    func audited(_ entry: AuditEntry) -> SQLitePool {
        var pool = self
        pool.audit = entry
        return pool
    }

    /// Runs `body` on the writer's thread. Returns when it is as durable as asked for.
    func write<Value: Sendable>(
        _ durability: Durability = .synced, _ body: @escaping AwaitedWork<Value>.Body
    ) async throws(StoreError) -> Value {
        guard let audit else { return try await AwaitedWork.perform(in: writer.queue, durability, body) }
        return try await AwaitedWork.perform(in: writer.queue, max(durability, .synced)) {
            connection throws(StoreError) in
            var value: Value?
            try connection.atomically { () throws(StoreError) in
                value = try body(connection)
                try connection.append(audit)
            }
            guard let value else { preconditionFailure("made, or thrown") }
            return value
        }
    }

    /// Runs `body` on a reader's thread. It sees every write that has returned, unless the database cannot be written
    /// to: then it may see the state of a moment before.
    func read<Value: Sendable>(_ body: @escaping AwaitedWork<Value>.Body) async throws(StoreError) -> Value {
        _ = await failureToCommit()
        return try await AwaitedWork.perform(in: threads.readers.queue, .written, body)
    }

    /// Like ``read(_:)``, for one record. Does not deny a record that only the redo log may have.
    func find<Value: Sendable>(_ body: @escaping AwaitedWork<Value?>.Body) async throws(StoreError) -> Value? {
        let failure = await failureToCommit()
        let found = try await AwaitedWork.perform(in: threads.readers.queue, .written, body)
        if found == nil, let failure { throw failure }
        return found
    }

    /// Runs `body` on a thread that has nothing else to do and waits for no write. It sees every write that was
    /// `committed` when it returned.
    func readAtOnce<Value: Sendable>(_ body: @escaping AwaitedWork<Value>.Body) async throws(StoreError) -> Value {
        try await AwaitedWork.perform(in: threads.keyReaders.queue, .written, body)
    }

    /// Has readers see all writes that have returned.
    /// - Returns: why they do not.
    private func failureToCommit() async -> StoreError? {
        guard writer.lag.isLagging else { return nil }
        do throws(StoreError) {
            try await AwaitedWork.perform(in: writer.queue, .committed) { _ throws(StoreError) in () }
            return nil
        } catch {
            return error
        }
    }

    /// Finishes waiting writes and reads, refuses new ones, and closes the files.
    func close() async { await threads.close() }

    /// Counts since the connections were opened.
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
