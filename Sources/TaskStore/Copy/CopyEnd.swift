/// A database that a copy reads from or writes to.
protocol CopyEnd {
    /// Reads rows in the order of their keys.
    /// - Parameter key: the key of the last row before; nil: from the first on.
    func rows(of table: CopiedTable, after key: [CopiedValue]?, limit: Int) throws(StoreError) -> [[CopiedValue]]
    /// Reads the key of the last row.
    func lastKey(of table: CopiedTable) throws(StoreError) -> [CopiedValue]?
    /// Writes rows in one transaction.
    func insert(_ rows: [[CopiedValue]], into table: CopiedTable) throws(StoreError)
    /// Reads which tasks are queued, and how many bytes the body of each has.
    func queued() throws(StoreError) -> [TaskID: Int]
    /// The bodies in the database; nil if they are not there, but in files.
    func bodies() throws(StoreError) -> (any BodyCopyEnd)?
    /// Makes the copy a store that can be served from.
    func publish() throws(StoreError)
    /// Closes the database.
    func close()
}

/// Reading and writing by the code that is the same for every database.
struct CopyRows<Connection: StoreConnection> {
    /// Makes a statement that runs more than once.
    let statement: (String) throws(StoreError) -> Connection.Statement

    func rows(of table: CopiedTable, after key: [CopiedValue]?, limit: Int) throws(StoreError) -> [[CopiedValue]] {
        let select = try statement(table.select(isContinued: key != nil, limit: limit))
        if let key { select.bind(key) }
        return try select.rows { $0.values(of: table.columns) }
    }

    func lastKey(of table: CopiedTable) throws(StoreError) -> [CopiedValue]? {
        try statement(table.lastKey).first { $0.values(of: table.columns.prefix(table.keyCount)) }
    }

    func queued() throws(StoreError) -> [TaskID: Int] {
        let select = try statement(
            "SELECT id, payload FROM tasks WHERE finished_at IS NULL AND state = \(TaskState.queued.rawValue)")
        let tasks = try select.rows { ($0.taskID(0), Int($0.integer(1))) }
        return Dictionary(tasks) { first, _ in first }
    }

    func insert(_ rows: [[CopiedValue]], _ sql: String) throws(StoreError) {
        let insert = try statement(sql)
        for row in rows {
            insert.bind(row)
            try insert.execute()
        }
    }
}
