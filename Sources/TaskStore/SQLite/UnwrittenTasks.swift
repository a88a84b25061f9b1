/// Tasks whose rows are not in the table yet, in the order of their rows. The redo log has them.
///
/// A create writes its row twice: the intent, and a moment later what Kling has made of it. A row costs SQLite more than
/// anything else that the store does for a create, so a row that is kept back until then is written once.
struct UnwrittenTasks {
    private var tasks: [TaskRecord] = []
    /// How many of ``tasks`` are written.
    private var written = 0
    /// The row of the first of ``tasks``.
    private var firstRow: Int64 = 0

    /// How many rows are kept back.
    static let capacity = 1024

    var isEmpty: Bool { written == tasks.count }
    var isFull: Bool { tasks.count >= Self.capacity }

    /// The row of the next task; nil if it has to be looked up in the table.
    private(set) var nextRow: Int64?

    /// Says that a new row of the table will be this one.
    mutating func begin(at row: Int64) { (nextRow, firstRow) = (row, row) }

    /// Adds a new task.
    /// - Returns: its row.
    mutating func add(_ task: TaskRecord) -> Int64 {
        guard let row = nextRow else { preconditionFailure("the next row is looked up first") }
        tasks.append(task)
        nextRow = row + 1
        return row
    }

    /// Replaces the task of a row.
    /// - Returns: false if that row is not here.
    mutating func replace(_ row: Int64, with task: TaskRecord) -> Bool {
        let index = Int(row - firstRow)
        guard tasks.indices.contains(index), index >= written else { return false }
        tasks[index] = task
        return true
    }

    /// Takes the first task and its row, to be written.
    /// - Parameter isSettled: only if it is more than an intent.
    mutating func takeFirst(ifSettled isSettled: Bool) -> (TaskRecord, row: Int64)? {
        guard !isEmpty, !isSettled || tasks[written].state != .intent else { return nil }
        defer { forgetWritten() }
        return (tasks[written], firstRow + Int64(written))
    }

    private mutating func forgetWritten() {
        written += 1
        guard written == tasks.count else { return }
        tasks.removeAll(keepingCapacity: true)
        written = 0
        if let nextRow { firstRow = nextRow }
    }

    /// Notes that the table may get or lose rows, so that the next row has to be looked up again.
    mutating func forgetNextRow() { nextRow = nil }
}
