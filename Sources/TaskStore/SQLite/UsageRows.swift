internal import GRDB

/// The rows of usage.
struct UsageRows {
    let connection: SQLiteConnection

    /// Adds a task that has ended.
    func add(_ task: TaskRecord) throws(StoreError) {
        let add = try connection.statement(.addUsage)
        add.bind(1, task.day)
        add.bind(2, task.tenant)
        add.bind(3, task.keyID ?? "")
        add.bind(4, task.account ?? "")
        add.bind(5, task.model)
        add.bind(6, task.state.rawValue)
        add.bind(7, task.charge.currency)
        add.bind(8, TimeHistogram.bucket(of: task))
        add.bind(9, task.charge.units)
        add.bind(10, task.charge.cash)
        add.bind(11, task.bytes)
        try add.execute()
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

    private func statement(_ query: UsageQuery) throws(StoreError) -> PreparedStatement {
        let names = query.dimensions.map(\.rawValue)
        let columns = names + ["outcome", "currency", "bucket"]
        let order = (1...columns.count).map(String.init).joined(separator: ", ")
        let sql = """
            SELECT \(columns.joined(separator: ", ")), sum(tasks), sum(units), sum(cash), sum(bytes)
            FROM (\(Query.usage)) GROUP BY \(order) ORDER BY \(order)
            """
        do {
            return PreparedStatement(try connection.database.makeStatement(sql: sql))
        } catch {
            throw StoreError(error)
        }
    }
}

extension TimeHistogram {
    /// The bucket of a task that has ended; 0 for one without a picture.
    fileprivate static func bucket(of task: TaskRecord) -> Int {
        guard task.state == .succeed, let finishedAt = task.finishedAt else { return 0 }
        return bucket(of: finishedAt - task.createdAt)
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
    mutating func add(_ columns: PreparedStatement) -> Bool {
        let values = dimensions.enumerated().map { index, dimension in dimension.text(columns, Int32(index)) }
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
        guard let row else { return }
        count += 1
        if count > skipped { done.append(row) }
        self.row = nil
    }
}

extension UsageDimension {
    fileprivate func text(_ row: PreparedStatement, _ column: Int32) -> String {
        switch self {
        case .day: CivilDate(day: Int(row.integer(column))).text
        case .outcome: UsageRow.outcome(row.integer(column))
        default: row.text(column)
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

    fileprivate mutating func add(_ row: PreparedStatement, from first: Int32) {
        let tasks = row.integer(first + 3)
        switch TaskState(rawValue: Int(row.integer(first))) {
        case .succeed:
            succeeded += tasks
            // Tasks of older versions have no time.
            if row.integer(first + 2) > 0 { times.add(tasks, bucket: Int(row.integer(first + 2))) }
        case .failed: failed += tasks
        case .refused: refused += tasks
        default: running += tasks
        }
        units += row.integer(first + 4)
        let (currency, paid) = (row.text(first + 1), row.integer(first + 5))
        if !currency.isEmpty { cash[currency, default: 0] += paid }
        bytes += row.integer(first + 6)
    }
}
