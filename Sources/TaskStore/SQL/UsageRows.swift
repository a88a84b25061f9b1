/// The rows of usage.
struct UsageRows<Connection: StoreConnection> {
    let connection: Connection

    /// Adds a task that has ended.
    func add(_ task: TaskRecord) throws(StoreError) {
        try connection.lock(.tenant(task.tenant))
        let add = try connection.statement(.addUsage)
        bind(task, to: add)
        add.bind(8, task.charge.units)
        add.bind(9, task.charge.cash)
        add.bind(10, task.bytes)
        add.bind(11, try times(with: task))
        try add.execute()
    }

    /// Binds what tells the rows apart.
    private func bind(_ task: TaskRecord, to statement: Connection.Statement) {
        statement.bind(1, task.day)
        statement.bind(2, task.tenant)
        statement.bind(3, task.keyID ?? "")
        statement.bind(4, task.account ?? "")
        statement.bind(5, task.model)
        statement.bind(6, task.state.rawValue)
        statement.bind(7, task.charge.currency)
    }

    /// The times of the tasks in a task's row and of itself, if it has a picture.
    private func times(with task: TaskRecord) throws(StoreError) -> [UInt8] {
        guard task.state == .succeed, let finishedAt = task.finishedAt else { return [] }
        let select = try connection.statement(.usageTimes)
        bind(task, to: select)
        var times = TimeHistogram(try select.first { $0.bytes(0) } ?? [])
        times.add(milliseconds: finishedAt - task.createdAt)
        return times.bytes
    }

    /// Returns the rows of a report.
    func report(_ query: UsageQuery, skipping skipped: Int, limit: Int) throws(StoreError) -> [UsageRow] {
        let select = try statement(query)
        select.bind(1, query.days.lowerBound)
        select.bind(2, query.days.upperBound)
        select.bind(3, query.tenant)
        var fold = ReportFold(query.dimensions, skipping: skipped, limit: limit)
        try select.each { fold.add($0) }
        return fold.rows()
    }

    private func statement(_ query: UsageQuery) throws(StoreError) -> Connection.Statement {
        let names = query.dimensions.map(\.rawValue)
        let texts = names.map { "CAST(\($0) AS TEXT) AS \($0)_text" }
        let columns = texts + ["outcome", "currency", "tasks", "units", "cash", "bytes", "times"]
        let order = (names + ["outcome", "currency"]).joined(separator: ", ")
        let sql = "SELECT \(columns.joined(separator: ", ")) FROM (\(Query.usage)) AS used ORDER BY \(order)"
        return try connection.statement(sql: sql)
    }
}

/// Makes rows of a report from rows of the database, which come in the order of the dimensions.
private struct ReportFold {
    private let dimensions: [UsageDimension]
    private let skipped: Int
    private let limit: Int
    private var row: UsageRow?
    private var done: [UsageRow] = []
    private var count = 0

    init(_ dimensions: [UsageDimension], skipping skipped: Int, limit: Int) {
        (self.dimensions, self.skipped, self.limit) = (dimensions, skipped, limit)
    }

    /// - Returns: whether more rows are wanted.
    mutating func add(_ columns: some StoreStatement) -> Bool {
        // Most rows continue the one before, so numbers become words only at the end.
        let values = dimensions.indices.map { columns.text(Int32($0)) }
        if row?.values != values {
            end()
            row = UsageRow(values: values)
        }
        row?.add(columns, from: Int32(dimensions.count))
        return done.count < limit
    }

    mutating func rows() -> [UsageRow] {
        if done.count < limit { end() }
        return done
    }

    private mutating func end() {
        guard var row else { return }
        count += 1
        if count > skipped {
            row.values = zip(dimensions, row.values).map { $0.text(of: $1) }
            done.append(row)
        }
        self.row = nil
    }
}

extension UsageDimension {
    /// A value as reports have it.
    fileprivate func text(of value: String) -> String {
        switch self {
        case .day: Int(value).map { CivilDate(day: $0).text } ?? value
        case .outcome: UsageRow.outcome(Int64(value) ?? 0)
        default: value
        }
    }
}

extension UsageRow {
    /// The word for the outcome of a task in this state.
    fileprivate static func outcome(_ state: Int64) -> String {
        switch TaskState(rawValue: Int(state)) {
        case .succeed: "succeeded"
        case .failed: "failed"
        case .refused: "refused"
        default: "running"
        }
    }

    fileprivate mutating func add(_ row: some StoreStatement, from first: Int32) {
        let tasks = row.integer(first + 2)
        switch TaskState(rawValue: Int(row.integer(first))) {
        case .succeed:
            succeeded += tasks
            times.add(row.bytes(first + 6))
        case .failed: failed += tasks
        case .refused: refused += tasks
        default: running += tasks
        }
        units += row.integer(first + 3)
        let (currency, paid) = (row.text(first + 1), row.integer(first + 4))
        if !currency.isEmpty { cash[currency, default: 0] += paid }
        bytes += row.integer(first + 5)
    }
}
