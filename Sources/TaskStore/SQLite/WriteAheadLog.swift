internal import GRDB
internal import GRDBSQLite

/// Keeps the write-ahead log short by checkpointing it, which moves it into the database, when it is long and when the
/// store is idle.
///
/// A checkpoint runs after the writers were answered and does not wait for readers. Only when a reader has held it up
/// until the log is ``patience`` times its limit do all writes wait for that reader.
struct WriteAheadLog {
    private static let patience = 8

    private let limit: Int
    private let pageSize: Int
    /// The log's length, which SQLite reports after each commit.
    private let pages: PageCount
    /// How many pages of the log are in the database already, or are left until the next write.
    private var movedPages = 0

    private final class PageCount { var value = 0 }

    init(_ database: Database, limit: Int) {
        self.limit = limit
        pageSize = (try? Int.fetchOne(database, sql: "PRAGMA page_size")) ?? 4096
        pages = PageCount()
        // SQLite calls back on the thread that commits, and `pages` lives until `detach`.
        let context = unsafe Unmanaged.passUnretained(pages).toOpaque()
        _ = unsafe sqlite3_wal_hook(
            database.sqliteConnection,
            { context, _, _, pages in
                if let context = unsafe context {
                    unsafe Unmanaged<PageCount>.fromOpaque(context).takeUnretainedValue().value = Int(pages)
                }
                return SQLITE_OK
            }, context)
        try? database.execute(sql: "PRAGMA journal_size_limit = \(limit * 2)")
    }

    /// The size of the log.
    var bytes: Int { pages.value * pageSize }

    /// Whether no page of the log is waiting for a checkpoint.
    var isEmpty: Bool { pages.value == movedPages }

    /// Stops SQLite from reporting. Call it before the connection closes.
    func detach(_ database: Database) { _ = unsafe sqlite3_wal_hook(database.sqliteConnection, nil, nil) }

    /// Whether it is time for a checkpoint.
    var isLong: Bool { bytes > limit }

    /// Moves the log into the database. Call it after a commit, when the log is long.
    /// - Returns: whether the database has everything now, on disk.
    @discardableResult
    mutating func checkpoint(_ database: Database) -> Bool {
        checkpoint(database, bytes > limit * Self.patience ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE)
    }

    /// Checkpoints the log. Call it when nothing was written for a while.
    mutating func checkpointWhenIdle(_ database: Database) {
        checkpoint(database, SQLITE_CHECKPOINT_PASSIVE)
        // Pages that a reader still holds up are left for the next write.
        movedPages = pages.value
    }

    // With `synchronous = FULL`, SQLite 3.40.1 syncs once for each commit, but twice for the first commit after a
    // checkpoint that has moved the whole log, which restarts it (findings/sqlite-wal-syncs.sh).
    @discardableResult
    private mutating func checkpoint(_ database: Database, _ mode: Int32) -> Bool {
        var (total, moved) = (Int32(-1), Int32(-1))
        let code = unsafe sqlite3_wal_checkpoint_v2(database.sqliteConnection, nil, mode, &total, &moved)
        // A failure (a full disk, a reader in the way) loses nothing: the log is complete, and the next commit tries
        // again.
        if code == SQLITE_OK, mode == SQLITE_CHECKPOINT_TRUNCATE { pages.value = 0 }
        if moved >= 0 { movedPages = mode == SQLITE_CHECKPOINT_TRUNCATE ? pages.value : Int(moved) }
        return code == SQLITE_OK && moved == total
    }
}
