internal import GRDB
internal import GRDBSQLite

/// Keeps the write-ahead log short: moved into the database when it is long, and when nobody writes.
///
/// The moving is done after the writers were answered, and doesn't wait for readers; only when a reader has held it up
/// until the log was ``patience`` times too long is everybody made to wait for that reader.
struct WriteAheadLog {
    private static let patience = 8

    private let limit: Int
    private let pageSize: Int
    /// Where SQLite writes the log's length after each commit.
    private let pages: PageCount
    /// The length up to which everything is in the database already.
    private var movedPages = 0

    private final class PageCount { var value = 0 }

    init(_ database: Database, limit: Int) {
        self.limit = limit
        pageSize = (try? Int.fetchOne(database, sql: "PRAGMA page_size")) ?? 4096
        pages = PageCount()
        // The connection calls back on the thread that commits, and `pages` lives until `detach`.
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

    /// How long the log is.
    var bytes: Int { pages.value * pageSize }

    /// Whether nothing in it waits to be moved.
    var isEmpty: Bool { pages.value == movedPages }

    /// Stops SQLite from reporting. Call it before the connection closes.
    func detach(_ database: Database) { _ = unsafe sqlite3_wal_hook(database.sqliteConnection, nil, nil) }

    /// Call it after every commit.
    mutating func checkpointWhenLong(_ database: Database) {
        if bytes > limit * Self.patience {
            checkpoint(database, SQLITE_CHECKPOINT_TRUNCATE)
        } else if bytes > limit {
            checkpoint(database, SQLITE_CHECKPOINT_PASSIVE)
        }
    }

    /// Call it when nothing was written for a while.
    mutating func checkpointWhenIdle(_ database: Database) {
        checkpoint(database, SQLITE_CHECKPOINT_PASSIVE)
        // What a reader still holds up is left for the next time that somebody writes.
        movedPages = pages.value
    }

    private mutating func checkpoint(_ database: Database, _ mode: Int32) {
        var (total, moved) = (Int32(-1), Int32(-1))
        let code = unsafe sqlite3_wal_checkpoint_v2(database.sqliteConnection, nil, mode, &total, &moved)
        // A failure (a full disk, a reader in the way) loses nothing: the log has it all, and the next commit tries again.
        if code == SQLITE_OK, mode == SQLITE_CHECKPOINT_TRUNCATE { pages.value = 0 }
        if moved >= 0 { movedPages = mode == SQLITE_CHECKPOINT_TRUNCATE ? pages.value : Int(moved) }
    }
}
