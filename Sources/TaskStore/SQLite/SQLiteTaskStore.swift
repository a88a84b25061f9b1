/// The records in an SQLite file. One process writes tasks, others may look and change keys meanwhile.
///
/// A write is answered when its transaction is synced to the disk (write-ahead log, `synchronous = FULL`).
public final class SQLiteTaskStore: TaskStore {
    /// How the store uses memory, threads and time.
    public struct Options: Sendable {
        /// How many writes, and how many reads, may wait before more are refused.
        public var queueCapacity = 16_384
        /// How many threads read.
        public var readers = 2
        /// The least time between the starts of two commits while fewer than 64 writes wait.
        public var gathering = Duration.microseconds(2500)
        /// How long to wait for another process that writes, in whole seconds.
        public var lockTimeout = Duration.seconds(2)
        /// The page cache of each connection, in bytes.
        public var cacheBytes = 16 << 20
        /// From what length on the write-ahead log is moved into the database, in bytes.
        public var logBytes = 16 << 20

        public init() {}
    }

    private let writer: Writer
    private let readers: Readers
    private let writerEnded = Ending()
    private let readersEnded = Ending()

    /// Opens the store at `path`, making the file and its folder where they are missing, and brings it up to date.
    ///
    /// This blocks the thread: open before serving.
    /// - Throws: `readOnly`, `full`, `corrupt`, `newerSchema`, `busy` or `unavailable`, with a text for the operator
    ///   that names the file or folder.
    public init(path: String, options: Options = Options()) throws(StoreError) {
        writer = try Writer(path, options, ended: writerEnded)
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

    public func close() async {
        readers.queue.close()
        await readersEnded.all()
        // Last, because the last connection to close moves the log into the database.
        writer.queue.close()
        await writerEnded.all()
    }

    public func check() async throws(StoreError) {
        _ = try await keyVersion()
        try await write { _ in }
    }

    public var statistics: StoreStatistics {
        var statistics = writer.statistics
        statistics.waitingWrites = writer.queue.count
        statistics.waitingReads = readers.queue.count
        return statistics
    }

    func write<Value: Sendable>(_ body: @escaping Job<Value>.Body) async throws(StoreError) -> Value {
        try await Job.perform(in: writer.queue, body)
    }

    func read<Value: Sendable>(_ body: @escaping Job<Value>.Body) async throws(StoreError) -> Value {
        try await Job.perform(in: readers.queue, body)
    }
}
