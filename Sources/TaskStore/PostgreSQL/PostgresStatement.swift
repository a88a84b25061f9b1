internal import PostgreSQL

/// A statement of a ``PostgresConnection``. The connection sends a statement that returns no rows together with later
/// ones, so that a whole transaction takes few round trips.
final class PostgresStatement: StoreStatement {
    private unowned let connection: PostgresConnection
    let sql: String
    /// Under which the server keeps the prepared statement; nil: it does not.
    let name: String?
    private var values: [PostgresValue] = []
    /// The transaction that has written the row which this updates: see ``PostgresIntents``; nil: any.
    var writer: String?
    private var guardedSQL: String?
    private var reading: PostgresResult?
    private var row: Int32 = 0

    init(_ sql: String, named name: String?, on connection: PostgresConnection) {
        (self.sql, self.name, self.connection) = (sql, name, connection)
    }

    // MARK: Parameters

    func bind(_ index: Int32, _ value: Int64?) { bind(index, .integer(value)) }
    func bind(_ index: Int32, _ value: String?) { bind(index, .text(value)) }
    func bind(_ index: Int32, _ value: [UInt8]?) { bind(index, .bytes(value)) }
    func bind(_ index: Int32, _ value: TaskID?) {
        bind(index, .uuid(value.map { PostgresValue.UUIDBytes(high: $0.high, low: $0.low) }))
    }

    private func bind(_ index: Int32, _ value: PostgresValue) {
        let place = Int(index) - 1
        while values.count <= place { values.append(.text(nil)) }
        values[place] = value
    }

    // MARK: Runs

    /// The statement with its values as they are now.
    var run: PostgresRun {
        guard let writer else { return PostgresRun(sql: sql, name: name, values: values) }
        let guarded = guardedSQL ?? PostgresIntents.guarded(sql, by: values.count + 1)
        guardedSQL = guarded
        return PostgresRun(sql: guarded, name: name.map { $0 + "g" }, values: values + [.text(writer)])
    }

    func execute() { connection.add(run) }

    func executeCounting() throws(StoreError) -> Int { try result().changes }

    func insertRow() -> Int64? {
        execute()
        return nil
    }

    func insert() throws(StoreError) -> Int64 {
        let result = try result()
        return result.count > 0 ? result.integer(0, 0) : 0
    }

    func rows<Value>(_ read: (PostgresStatement) -> Value) throws(StoreError) -> [Value] {
        var values: [Value] = []
        try each {
            values.append(read($0))
            return true
        }
        return values
    }

    func each(_ read: (PostgresStatement) -> Bool) throws(StoreError) { each(of: try result(), read) }

    func first<Value>(_ read: (PostgresStatement) -> Value) throws(StoreError) -> Value? {
        var value: Value?
        try each {
            value = read($0)
            return false
        }
        return value
    }

    /// Passes on the rows of a result.
    func each(of result: PostgresResult, _ read: (PostgresStatement) -> Bool) {
        reading = result
        defer { reading = nil }
        for index in 0..<Int32(result.count) {
            row = index
            if !read(self) { return }
        }
    }

    private func result() throws(StoreError) -> PostgresResult {
        guard let result = try connection.results(of: [run]).last else { preconditionFailure("each run has a result") }
        return result
    }

    // MARK: Columns

    func isNull(_ column: Int32) -> Bool { current.isNull(row, column) }
    func integer(_ column: Int32) -> Int64 { current.integer(row, column) }
    func optionalText(_ column: Int32) -> String? { current.text(row, column) }
    func bytes(_ column: Int32) -> [UInt8] { current.bytes(row, column) }

    func taskID(_ column: Int32) -> TaskID {
        let id = current.uuid(row, column)
        return TaskID(high: id.high, low: id.low)
    }

    private var current: PostgresResult {
        guard let reading else { preconditionFailure("columns are read inside the closure of a run") }
        return reading
    }
}

/// One run of a statement.
struct PostgresRun {
    let sql: String
    let name: String?
    let values: [PostgresValue]
}
