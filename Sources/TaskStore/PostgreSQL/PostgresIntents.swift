internal import PostgreSQL

/// Intents that a connection has written: a create's second write need not read what its first one wrote.
///
/// Another process may have changed the row since, which it rarely does. So the update says which transaction must have
/// written the row that it changes, and fails if that was another one. The group is then repeated, and reads the row.
final class PostgresIntents {
    struct Intent {
        let task: TaskRecord
        let row: Int64
        /// The transaction that has written the row, as the row has it.
        let writer: String
    }

    /// How many intents are known. When that is reached, all are forgotten.
    private static let capacity = 4096

    private static let insertTask = PostgresDialect.name(of: .insertTask)

    private var known: [TaskID: Intent] = [:]
    /// What the current transaction has written, and their rows.
    private var added: [TaskID: TaskRecord] = [:]
    private var rows: [TaskID: Int64] = [:]
    /// Who has written the rows that the current transaction uses without reading them.
    private var writers: [Int64: String] = [:]

    // MARK: A transaction

    func begin() { (added, rows, writers) = ([:], [:], [:]) }

    /// Returns what is known of these tasks, once.
    func take(_ ids: Set<TaskID>) -> [Intent] {
        if known.isEmpty { return [] }
        return ids.compactMap { known.removeValue(forKey: $0) }
    }

    /// Has the next update of the intent's row check who has written it.
    func check(_ intent: Intent) { writers[intent.row] = intent.writer }

    /// Who must have written a row that is updated now; nil: it was read, or was updated before.
    func takeWriter(of row: Int64) -> String? { writers.isEmpty ? nil : writers.removeValue(forKey: row) }

    func add(_ task: TaskRecord) { added[task.id] = task }

    /// Notes the row of a task that was inserted.
    func observe(_ run: PostgresRun, _ result: PostgresResult) {
        guard run.name == Self.insertTask else { return }
        let id = result.uuid(0, 0)
        rows[TaskID(high: id.high, low: id.low)] = result.integer(0, 1)
    }

    func commit(_ transaction: String?) {
        defer { begin() }
        guard let number = transaction.flatMap({ UInt64($0) }) else { return }
        if known.count + rows.count > Self.capacity { known = [:] }
        // A row has only the lower half of the number.
        let writer = "\(UInt32(truncatingIfNeeded: number))"
        for (id, row) in rows {
            if let task = added[id] { known[id] = Intent(task: task, row: row, writer: writer) }
        }
    }

    // MARK: The guard

    /// The code of the error of an update that was guarded and found another row (`division_by_zero`).
    static let wasChanged = "22012"

    /// Adds to an update of a row that another transaction than parameter `number` must not have written it.
    static func guarded(_ update: String, by number: Int) -> String {
        "\(update) AND (xmin = $\(number)::text::xid OR 1 / (state - state) = 1)"
    }
}
