/// Task stores in SQLite files. One process serves from a store; commands may read and change it at the same time.
public enum SQLiteTaskStore {
    /// How the store uses memory, threads and time.
    public struct Options: Sendable {
        /// How many writes, and how many reads, may wait before more are refused.
        public var queueCapacity = 16_384
        /// The number of threads that read.
        public var readers = 2
        /// The minimum time between the starts of two commits while fewer than 48 writes are waiting.
        public var gathering = Duration.microseconds(2500)
        /// How long the database of a process that serves may be behind the redo log, unless a read needs it sooner.
        public var databaseDelay = Duration.milliseconds(200)
        /// How long a write that does not wait for a sync may be without one.
        public var syncDelay = Duration.milliseconds(50)
        /// How long to wait for another process that is writing.
        public var lockTimeout = Duration.seconds(2)
        /// The page cache of the connection that writes, in bytes.
        public var cacheBytes = 4 << 20
        /// The page cache of each connection that reads, in bytes. It is meant for the indexes; records are in the
        /// system's cache.
        public var readerCacheBytes = 2 << 20
        /// The size from which the write-ahead log is checkpointed, in bytes.
        public var logBytes = 16 << 20
        /// How long a result of ``TaskStore/check()`` is reused, unless a transaction fails in the meantime.
        public var checkInterval = Duration.seconds(3)

        public init() {}
    }

    public static func open(
        path: String, options: Options = Options(), serving lock: ServeLock? = nil,
        deliveries: @escaping StepCallbacks.Deliveries = { _, _ in nil },
        jobDeliveries: @escaping StepCallbacks.JobDeliveries = { _, _ in nil }
    ) throws(StoreError) -> any TaskStore {
        SQLTaskStore(
            pool: try SQLitePool(
                path, options, serving: lock, StepCallbacks(task: deliveries, job: jobDeliveries)))
    }
}
