internal import Base

/// A task store in an SQLite file. One process serves from it; commands may read and change it at the same time.
///
/// A write returns when it is on disk: in a redo log beside the database if the process serves, which the database
/// follows within 50 ms, else in the database's write-ahead log (`synchronous = FULL`).
public final class SQLiteTaskStore: TaskStore {
    /// How the store uses memory, threads and time.
    public struct Options: Sendable {
        /// How many writes, and how many reads, may wait before more are refused.
        public var queueCapacity = 16_384
        /// The number of threads that read.
        public var readers = 2
        /// The minimum time between the starts of two commits while fewer than 64 writes are waiting.
        public var gathering = Duration.microseconds(2500)
        /// How long the database of a process that serves may be behind the redo log, unless a read needs it sooner.
        public var databaseDelay = Duration.milliseconds(50)
        /// How long to wait for another process that is writing.
        public var lockTimeout = Duration.seconds(2)
        /// The page cache of the connection that writes, in bytes.
        public var cacheBytes = 4 << 20
        /// The page cache of each connection that reads, in bytes. It is meant for the indexes; records are in the
        /// system's cache.
        public var readerCacheBytes = 2 << 20
        /// The size from which the write-ahead log is checkpointed, in bytes.
        public var logBytes = 16 << 20
        /// How long a result of ``SQLiteTaskStore/check()`` is reused, unless a transaction fails in the meantime.
        public var checkInterval = Duration.seconds(3)

        public init() {}
    }

    /// Returns the callback to send when a task that has a `callback_url` takes a step, or nil for none. `before` is
    /// nil for the first step. Called on the writer thread inside the transaction: it must be quick and must not use
    /// the store.
    public typealias Deliveries = @Sendable (_ before: TaskRecord?, _ after: TaskRecord) -> NewDelivery?

    /// Like ``Deliveries``, for a job that has a `callback_url`, whenever one of its tasks takes a step.
    public typealias JobDeliveries = @Sendable (_ before: JobRecord?, _ after: JobRecord) -> NewDelivery?

    let pool: SQLitePool
    private let path: String
    private let lastCheck: Lock<LastCheck>

    /// Opens the store at `path`, creating the file and its folder if they are missing, and migrates it to the current
    /// schema.
    ///
    /// This blocks the thread: call it before serving.
    /// - Parameters:
    ///   - lock: the caller's right to serve from the store. Without it, a store of an older version is migrated only
    ///     while no process serves from it.
    ///   - deliveries: what the steps of tasks put into the outbox, due at once.
    ///   - jobDeliveries: what the steps of jobs put into the outbox. A job's deliveries are sent in order, as a single
    ///     task's are.
    /// - Throws: `readOnly`, `full`, `corrupt`, `newerSchema`, `alreadyServed`, `busy` or `unavailable`, with a message
    ///   for the operator that names the file or folder.
    public init(
        path: String, options: Options = Options(), serving lock: ServeLock? = nil,
        deliveries: @escaping Deliveries = { _, _ in nil },
        jobDeliveries: @escaping JobDeliveries = { _, _ in nil }
    ) throws(StoreError) {
        self.path = path
        lastCheck = Lock(LastCheck(interval: options.checkInterval))
        pool = try SQLitePool(
            path, options, serving: lock, StepCallbacks(task: deliveries, job: jobDeliveries))
    }

    private init(_ store: SQLiteTaskStore, pool: SQLitePool) {
        (path, lastCheck, self.pool) = (store.path, store.lastCheck, pool)
    }

    public func audited(_ entry: AuditEntry) -> any TaskStore {
        SQLiteTaskStore(self, pool: pool.audited(entry))
    }

    public var jobs: any JobStore { SQLiteJobs(pool: pool) }
    public var outbox: any DeliveryStore { SQLiteOutbox(pool: pool) }
    public var resends: any ResendStore { SQLiteResends(pool: pool) }
    public var keys: any KeyStore { SQLiteKeys(pool: pool) }
    public var accounts: any AccountStore { SQLiteAccounts(pool: pool) }
    public var clock: any ClockStore { SQLiteClock(pool: pool) }
    public var usage: any UsageStore { SQLiteUsage(pool: pool) }
    public var audit: any AuditStore { SQLiteAudit(pool: pool) }

    public func close() async { await pool.close() }

    public var statistics: StoreStatistics { pool.statistics }

    public func check() async throws(StoreError) {
        _ = try await keys.version()
        let failures = pool.statistics.failures
        if let known = lastCheck.withLock({ $0.result(at: .now, failures: failures) }) { return try known.get() }
        let result: Result<Void, StoreError>
        do throws(StoreError) {
            try await pool.read { [path] _ throws(StoreError) in try StoreFile.checkFreeSpace(beside: path) }
            try await pool.write(.committed) { connection throws(StoreError) in try connection.execute(.probe) }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        let failuresNow = pool.statistics.failures
        lastCheck.withLock { $0.note(result, at: .now, failures: failuresNow) }
        try result.get()
    }
}

/// The result of the last check of the store, reused so that frequent probes cost few disk syncs.
struct LastCheck {
    private let interval: Duration
    private var last: (result: Result<Void, StoreError>, at: MonotonicTime, failures: UInt64)?

    init(interval: Duration) { self.interval = interval }

    /// Returns the last result; nil if it is too old, or if a transaction has failed since.
    /// - Parameter failures: how many transactions have failed so far.
    func result(at now: MonotonicTime, failures: UInt64) -> Result<Void, StoreError>? {
        guard let last, now - last.at < interval, failures == last.failures else { return nil }
        return last.result
    }

    mutating func note(_ result: Result<Void, StoreError>, at now: MonotonicTime, failures: UInt64) {
        last = (result, now, failures)
    }
}
