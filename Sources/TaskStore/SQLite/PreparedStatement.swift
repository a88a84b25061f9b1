internal import GRDB
internal import GRDBSQLite

/// A GRDB statement that is bound and read through SQLite's own functions. This avoids `Data`, boxed values and their
/// arrays, which cost more than SQLite itself. Columns count from 0 and parameters from 1, as in SQLite.
///
/// A bound value stays until its parameter is bound again: bind every parameter before each run.
@safe struct PreparedStatement: StoreStatement {
    // The pointer is valid for as long as the statement, which `owner` keeps alive.
    private let owner: Statement
    private let handle: OpaquePointer
    /// Records the runs of a statement that writes; nil for one that reads, or that the redo log need not have.
    private let record: RecordedStatement?

    init(_ statement: Statement, record: RecordedStatement? = nil) {
        owner = statement
        unsafe handle = statement.sqliteStatement
        self.record = record
    }

    // MARK: Parameters

    func bind(_ index: Int32, _ value: Int64?) {
        guard let value else { return bindNull(index) }
        unsafe check(sqlite3_bind_int64(handle, index, value))
        record?.bind(index, value)
    }

    func bind(_ index: Int32, _ value: String?) {
        guard var value else { return bindNull(index) }
        value.withUTF8 { text in
            unsafe record?.bind(index, text: text)
            let start = unsafe UnsafeRawPointer(text.baseAddress)?.assumingMemoryBound(to: CChar.self)
            unsafe check(sqlite3_bind_text(handle, index, start ?? Self.nothing, Int32(text.count), Self.copied))
        }
    }

    func bind(_ index: Int32, _ value: [UInt8]?) {
        guard let value else { return bindNull(index) }
        unsafe value.withUnsafeBytes { bytes in unsafe bind(index, blob: bytes) }
    }

    func bind(_ index: Int32, _ value: TaskID?) {
        guard let value else { return bindNull(index) }
        unsafe value.withBytes { bytes in unsafe bind(index, blob: bytes) }
    }

    func bindNull(_ index: Int32) {
        unsafe check(sqlite3_bind_null(handle, index))
        record?.bindNull(index)
    }

    private func bind(_ index: Int32, blob bytes: UnsafeRawBufferPointer) {
        unsafe record?.bind(index, blob: bytes)
        let start = unsafe bytes.baseAddress ?? UnsafeRawPointer(Self.nothing)
        unsafe check(sqlite3_bind_blob(handle, index, start, Int32(bytes.count), Self.copied))
    }

    /// Tells SQLite to copy the value at once, into the space of the value bound before.
    nonisolated(unsafe) private static let copied = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    /// What an empty value points to: a null pointer would bind NULL.
    nonisolated(unsafe) private static let nothing = unsafe UnsafePointer(
        UnsafeMutablePointer<CChar>.allocate(capacity: 1))

    private func check(_ code: Int32) {
        precondition(code == SQLITE_OK, "a parameter that the statement doesn't have")
    }

    // MARK: Runs

    /// Runs the statement, which returns no rows.
    func execute() throws(StoreError) {
        var isDone = false
        defer {
            unsafe _ = sqlite3_reset(handle)
            record?.end(succeeded: isDone)
        }
        _ = try step()
        isDone = true
    }

    func executeCounting() throws(StoreError) -> Int {
        try execute()
        return unsafe Int(sqlite3_changes(sqlite3_db_handle(handle)))
    }

    func insertRow() throws(StoreError) -> Int64? { try insert() }

    func insert() throws(StoreError) -> Int64 {
        try execute()
        return unsafe sqlite3_last_insert_rowid(sqlite3_db_handle(handle))
    }

    /// Runs the statement and reads every row.
    func rows<Value>(_ read: (PreparedStatement) -> Value) throws(StoreError) -> [Value] {
        defer { unsafe _ = sqlite3_reset(handle) }
        var values: [Value] = []
        while try step() { values.append(read(self)) }
        return values
    }

    /// Runs the statement and passes on each row, until `read` returns false.
    func each(_ read: (PreparedStatement) -> Bool) throws(StoreError) {
        defer { unsafe _ = sqlite3_reset(handle) }
        while try step(), read(self) {}
    }

    /// Runs the statement and reads its first row.
    func first<Value>(_ read: (PreparedStatement) -> Value) throws(StoreError) -> Value? {
        defer { unsafe _ = sqlite3_reset(handle) }
        return try step() ? read(self) : nil
    }

    private func step() throws(StoreError) -> Bool {
        switch unsafe sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let connection = unsafe sqlite3_db_handle(handle)
            let code = unsafe sqlite3_extended_errcode(connection)
            throw StoreError(sqlite: code, unsafe sqlite3_errmsg(connection).map { unsafe String(cString: $0) } ?? "")
        }
    }

    // MARK: Columns

    func isNull(_ column: Int32) -> Bool { unsafe sqlite3_column_type(handle, column) == SQLITE_NULL }

    func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(handle, column) }

    func optionalText(_ column: Int32) -> String? {
        guard let start = unsafe sqlite3_column_text(handle, column) else { return nil }
        let count = unsafe Int(sqlite3_column_bytes(handle, column))
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func bytes(_ column: Int32) -> [UInt8] {
        guard let start = unsafe sqlite3_column_blob(handle, column) else { return [] }
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
    }

    func taskID(_ column: Int32) -> TaskID {
        guard let start = unsafe sqlite3_column_blob(handle, column) else { return TaskID(high: 0, low: 0) }
        precondition(unsafe sqlite3_column_bytes(handle, column) == 16, "the schema lets in 16 bytes only")
        return unsafe TaskID(
            high: UInt64(bigEndian: start.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: start.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
}
