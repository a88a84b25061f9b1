internal import CSQLite
internal import GRDB
internal import Glibc

/// How the store's connections are opened.
enum StoreDatabase {
    /// Opens the connection that writes, replays what a crash has left in the redo log, and brings the schema up to
    /// date.
    /// - Parameter lock: the right to serve from the store; nil: the log is replayed, and an older schema migrated, only
    ///   while no process serves.
    static func writer(
        _ path: String, _ options: SQLiteTaskStore.Options, serving lock: ServeLock?
    ) throws(StoreError) -> DatabaseQueue {
        try StoreFile.prepare(path)
        return try opening(path) {
            var configuration = configuration(options)
            configuration.journalMode = .wal
            configuration.allowsUnsafeTransactions = true
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            // Only after opening: GRDB sets `synchronous` to NORMAL when it opens the write-ahead log.
            try queue.inDatabase(makeDurable)
            try queue.inDatabase { try $0.execute(sql: "PRAGMA cache_size = \(-options.cacheBytes >> 10)") }
            try Schema.refuseNewer(queue)
            try recover(queue, path, serving: lock, patience: options.lockTimeout)
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
        let attempts = Int(options.lockTimeout / .milliseconds(1))
        // A gateway under load releases the lock for a moment only, each time it commits. SQLite's own handler asks ten
        // times a second.
        configuration.busyMode = .callback { attempt in
            usleep(1_000)
            return attempt < attempts
        }
        return configuration
    }

    /// Replays the redo log of a gateway that crashed. While another gateway serves, the log is its own, and it is given
    /// a moment to commit what it has written so far.
    private static func recover(
        _ queue: DatabaseQueue, _ path: String, serving lock: ServeLock?, patience: Duration
    ) throws {
        guard let file = try RedoFile(store: path, creating: false) else { return }
        var lock = lock
        do throws(StoreError) {
            if lock == nil { lock = try ServeLock(store: path) }
        } catch {
            guard error.code == .alreadyServed else { throw error }
            return try waitForCommit(of: file, queue, patience)
        }
        try withExtendedLifetime(lock) {
            try queue.inDatabase { database in
                let replay = Replay(database: database)
                guard let mark = try replay.mark() else { return }
                let frames = RedoFrame.frames(in: try file.read(all: true), identity: mark.identity)
                try replay.apply(frames, from: file.path)
            }
            file.remove()
        }
    }

    private static func waitForCommit(of file: RedoFile, _ queue: DatabaseQueue, _ patience: Duration) throws {
        let deadline = ContinuousClock.now + patience
        let log = try file.read(all: true)
        func isBehind() throws -> Bool {
            guard let mark = try queue.inDatabase({ try Replay(database: $0).mark() }) else { return false }
            let last = RedoFrame.frames(in: log, identity: mark.identity).last
            return last.map { $0.sequence > mark.applied } ?? false
        }
        while try isBehind(), ContinuousClock.now < deadline { usleep(2_000) }
    }

    /// Opens the redo log of the process that serves. From then on the log makes writes durable, and SQLite need not.
    static func redoLog(
        _ queue: DatabaseQueue, _ path: String, _ options: SQLiteTaskStore.Options
    ) throws(StoreError) -> RedoLog {
        try opening(path) {
            try queue.inDatabase { database in
                guard let mark = try Replay(database: database).mark(),
                    let file = try RedoFile(store: path, creating: true)
                else { throw StoreError(.corrupt, "the store \(path) has no redo mark") }
                try setSynchronous(.normal, database)
                return RedoLog(file, mark, limit: options.logBytes)
            }
        }
    }

    /// How often SQLite syncs its log.
    enum Synchronous: Int {
        /// At checkpoints only: a power cut may undo the last commits.
        case normal = 1
        /// At each commit.
        case full = 2
    }

    // Debian 12 builds SQLite 3.40.1 with SECURE_DELETE: pruning writes zeros over what it deletes, so figures from
    // other builds do not carry over. And unixepoch('subsec') is NULL there (findings/sqlite-debian.sh).
    private static func makeDurable(_ database: Database) throws {
        try setSynchronous(.full, database)
        try database.execute(sql: "PRAGMA wal_autocheckpoint = 0")
        let journal = try String.fetchOne(database, sql: "PRAGMA journal_mode")
        guard journal == "wal" else {
            throw StoreError(.unavailable, "journal_mode is \(journal ?? "none"), not wal")
        }
    }

    /// Sets how often SQLite syncs, and checks that it does.
    static func setSynchronous(_ mode: Synchronous, _ database: Database) throws(StoreError) {
        do {
            try database.execute(sql: "PRAGMA synchronous = \(mode.rawValue)")
            let now = try Int.fetchOne(database, sql: "PRAGMA synchronous")
            if now == mode.rawValue { return }
            throw StoreError(.unavailable, "synchronous is \(now ?? -1), not \(mode.rawValue)")
        } catch {
            throw StoreError(error)
        }
    }

    /// How many times to try to open a store that another process is writing to.
    private static let attempts = 3

    /// Its value says nothing: computing it, once, sets SQLite up.
    private static let setUp: Int32 = csqlite_drop_memory_statistics()

    private static func opening<Value>(_ path: String, _ body: () throws -> Value) throws(StoreError) -> Value {
        _ = setUp
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
