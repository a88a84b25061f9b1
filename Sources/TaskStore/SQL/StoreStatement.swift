internal import Hashing

/// What values can be bound to. Parameters count from 1.
protocol StatementParameters {
    func bind(_ index: Int32, _ value: Int64?)
    func bind(_ index: Int32, _ value: String?)
    func bind(_ index: Int32, _ value: [UInt8]?)
    func bind(_ index: Int32, _ value: TaskID?)
}

/// A prepared statement of a database. Columns count from 0 and parameters from 1.
///
/// A bound value stays until its parameter is bound again: bind every parameter before each run. Values of columns are
/// read inside the closure that a run is given.
protocol StoreStatement: StatementParameters, SendableMetatype {
    // MARK: Runs

    /// Runs the statement, which returns no rows.
    func execute() throws(StoreError)
    /// Runs the statement, which returns no rows.
    /// - Returns: the number of rows that it has changed.
    func executeCounting() throws(StoreError) -> Int
    /// Runs the statement, which inserts a row.
    /// - Returns: the number that the database gave to the row.
    func insert() throws(StoreError) -> Int64
    /// Runs the statement, which inserts a row.
    /// - Returns: the row's number; nil if the database tells it only later.
    func insertRow() throws(StoreError) -> Int64?
    /// Runs the statement and reads every row.
    func rows<Value>(_ read: (Self) -> Value) throws(StoreError) -> [Value]
    /// Runs the statement and passes on each row, until `read` returns false.
    func each(_ read: (Self) -> Bool) throws(StoreError)
    /// Runs the statement and reads its first row.
    func first<Value>(_ read: (Self) -> Value) throws(StoreError) -> Value?

    // MARK: Columns

    func isNull(_ column: Int32) -> Bool
    func integer(_ column: Int32) -> Int64
    func optionalText(_ column: Int32) -> String?
    /// The value of a binary column; empty if it is NULL.
    func bytes(_ column: Int32) -> [UInt8]
    func taskID(_ column: Int32) -> TaskID
}

extension StatementParameters {
    func bind(_ index: Int32, _ value: Int) { bind(index, Int64(value)) }

    func bind(_ index: Int32, _ value: ContentDigest?) { bind(index, value.map { TaskID(high: $0.high, low: $0.low) }) }
}

extension StoreStatement {
    func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }

    func text(_ column: Int32) -> String { optionalText(column) ?? "" }

    func optionalBytes(_ column: Int32) -> [UInt8]? { isNull(column) ? nil : bytes(column) }

    func content(_ column: Int32) -> ContentDigest? {
        if isNull(column) { return nil }
        let bytes = taskID(column)
        return ContentDigest(high: bytes.high, low: bytes.low)
    }
}
