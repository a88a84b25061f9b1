internal import GRDB
internal import Glibc

/// A copy's end in an SQLite file. A copy is made in a file beside the store's, and renamed at the end.
final class SQLiteCopyEnd: CopyEnd {
    private let queue: DatabaseQueue
    private let lock: ServeLock
    /// Nil once the database is closed.
    private var connection: SQLiteConnection?
    private var statements: [String: PreparedStatement] = [:]
    /// The path of the copy and what it is renamed to; nil for a store that is read.
    private let rename: (from: String, to: String)?

    /// - Throws: `notFound`, `alreadyServed`.
    convenience init(reading path: String) throws(StoreError) {
        guard unsafe access(path, F_OK) == 0 else { throw StoreError(.notFound, "there is no store at \(path)") }
        try self.init(path, rename: nil)
    }

    /// - Throws: `alreadyExists`.
    convenience init(creating path: String) throws(StoreError) {
        guard unsafe access(path, F_OK) != 0 else {
            throw StoreError(.alreadyExists, "there is a store at \(path) already")
        }
        try self.init(path + ".copying", rename: (path + ".copying", path))
    }

    private init(_ path: String, rename: (from: String, to: String)?) throws(StoreError) {
        lock = try ServeLock(store: path)
        queue = try StoreDatabase.writer(path, SQLiteTaskStore.Options(), serving: lock)
        connection = queue.inDatabase { SQLiteConnection($0) }
        self.rename = rename
    }

    func rows(of table: CopiedTable, after key: [CopiedValue]?, limit: Int) throws(StoreError) -> [[CopiedValue]] {
        try within { () throws(StoreError) in try tables.rows(of: table, after: key, limit: limit) }
    }

    func lastKey(of table: CopiedTable) throws(StoreError) -> [CopiedValue]? {
        try within { () throws(StoreError) in try tables.lastKey(of: table) }
    }

    func insert(_ rows: [[CopiedValue]], into table: CopiedTable) throws(StoreError) {
        try within { () throws(StoreError) in
            let connection = try opened
            try connection.begin()
            do throws(StoreError) {
                try tables.insert(rows, table.insert(overriding: ""))
                try connection.execute(.commit)
            } catch {
                connection.undo()
                throw error
            }
        }
    }

    func queued() throws(StoreError) -> [TaskID: Int] {
        try within { () throws(StoreError) in try tables.queued() }
    }

    func bodies() -> (any BodyCopyEnd)? { nil }

    func publish() throws(StoreError) {
        guard let rename else { return }
        // Without its log, the file is the whole database.
        let mode = queue.inDatabase { database in
            statements = [:]
            connection = nil
            return try? String.fetchOne(database, sql: "PRAGMA journal_mode = DELETE")
        }
        guard mode == "delete" else { throw StoreError(.unavailable, "the log of \(rename.from) is in use") }
        close()
        guard unsafe Glibc.rename(rename.from, rename.to) == 0 else {
            throw StoreFile.failure("cannot rename the copy to", rename.to, errno)
        }
        unsafe unlink(rename.from + ".lock")
        try StoreFile.syncFolder(of: rename.to)
    }

    func close() {
        queue.inDatabase { _ in
            statements = [:]
            connection = nil
        }
        try? queue.close()
    }

    private var opened: SQLiteConnection {
        get throws(StoreError) {
            guard let connection else { throw StoreError(.unavailable, "the database is closed") }
            return connection
        }
    }

    private var tables: CopyRows<SQLiteConnection> {
        CopyRows { [self] sql throws(StoreError) in
            if let known = statements[sql] { return known }
            let made = try opened.statement(sql: sql)
            statements[sql] = made
            return made
        }
    }

    /// Runs `body` where GRDB lets the connection be used.
    private func within<Value>(_ body: () throws(StoreError) -> Value) throws(StoreError) -> Value {
        let result = queue.inDatabase { _ -> Result<Value, StoreError> in
            do throws(StoreError) { return .success(try body()) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
