/// The connections to the database: one writes, the others read, each on a thread of its own. The threads end when the
/// pool is closed or is no longer used.
final class SQLitePool: Sendable {
    private let writer: Writer
    private let readers: Readers
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
    }

    deinit {
        readers.queue.close()
        writer.queue.close()
    }

    /// Runs `body` on the writer's thread. Returns when it is as durable as asked for.
    func write<Value: Sendable>(
        _ durability: Durability = .synced, _ body: @escaping AwaitedWork<Value>.Body
    ) async throws(StoreError) -> Value {
        try await AwaitedWork.perform(in: writer.queue, durability, body)
    }

    /// Runs `body` on a reader's thread. It sees every write that has returned, unless the database cannot be written
    /// to: then it may see the state of a moment before.
    func read<Value: Sendable>(_ body: @escaping AwaitedWork<Value>.Body) async throws(StoreError) -> Value {
        _ = await failureToCommit()
        return try await AwaitedWork.perform(in: readers.queue, .written, body)
    }

    /// Like ``read(_:)``, for one record. Does not deny a record that only the redo log may have.
    func find<Value: Sendable>(_ body: @escaping AwaitedWork<Value?>.Body) async throws(StoreError) -> Value? {
        let failure = await failureToCommit()
        let found = try await AwaitedWork.perform(in: readers.queue, .written, body)
        if found == nil, let failure { throw failure }
        return found
    }

    /// Has readers see all writes that have returned.
    /// - Returns: why they do not.
    private func failureToCommit() async -> StoreError? {
        guard writer.lag.isLagging else { return nil }
        do throws(StoreError) {
            try await write(.committed) { _ throws(StoreError) in () }
            return nil
        } catch {
            return error
        }
    }

    /// Finishes waiting writes and reads, refuses new ones, and closes the files.
    func close() async {
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
        statistics.waitingReads = readers.queue.count
        return statistics
    }
}
