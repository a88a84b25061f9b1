internal import GRDB

/// How the store's connections are opened.
enum StoreDatabase {
    /// Opens the connection that writes, and brings the schema up to date.
    /// - Parameter lock: the right to serve from the store; nil: an older schema is migrated only while no process
    ///   serves.
    static func writer(
        _ path: String, _ options: SQLiteTaskStore.Options, serving lock: ServeLock?
    ) throws(StoreError) -> DatabaseQueue {
        try StoreFile.prepare(path)
        return try opening(path) {
            var configuration = configuration(options)
            configuration.journalMode = .wal
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            // Only after opening: GRDB sets `synchronous` to NORMAL when it opens the write-ahead log.
            try queue.inDatabase(makeDurable)
            try queue.inDatabase { try $0.execute(sql: "PRAGMA cache_size = \(-options.cacheBytes >> 10)") }
            try Schema.migrate(queue, serving: lock, patience: options.lockTimeout)
            return queue
        }
    }

    /// Opens a connection that can only read.
    static func reader(_ path: String, _ options: SQLiteTaskStore.Options) throws(StoreError) -> DatabaseQueue {
        try opening(path) {
            var configuration = configuration(options)
            configuration.readonly = true
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.inDatabase { try $0.execute(sql: "PRAGMA cache_size = \(-options.readerCacheBytes >> 10)") }
            return queue
        }
    }

    private static func configuration(_ options: SQLiteTaskStore.Options) -> Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(Double(options.lockTimeout.components.seconds))
        return configuration
    }

    // Debian 12 builds SQLite 3.40.1 with SECURE_DELETE: pruning writes zeros over what it deletes, so figures from
    // other builds do not carry over. And unixepoch('subsec') is NULL there (findings/sqlite-debian.sh).
    private static func makeDurable(_ database: Database) throws {
        try database.execute(sql: "PRAGMA synchronous = FULL")
        try database.execute(sql: "PRAGMA wal_autocheckpoint = 0")
        let journal = try String.fetchOne(database, sql: "PRAGMA journal_mode")
        let synchronous = try Int.fetchOne(database, sql: "PRAGMA synchronous")
        guard journal == "wal", synchronous == 2 else {
            throw StoreError(
                .unavailable, "journal_mode \(journal ?? "none"), synchronous \(synchronous ?? -1): not wal and FULL")
        }
    }

    /// How many times to try to open a store that another process is writing to.
    private static let attempts = 3

    private static func opening<Value>(_ path: String, _ body: () throws -> Value) throws(StoreError) -> Value {
        var attempt = 1
        while true {
            do {
                return try body()
            } catch {
                let failure = StoreError(error)
                attempt += 1
                if failure.code == .busy, attempt <= attempts { continue }
                throw StoreError(
                    failure.code,
                    failure.detail.contains(path) ? failure.detail : "cannot open the store \(path): \(failure)")
            }
        }
    }
}
