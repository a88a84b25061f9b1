/// What the writing connection knows of rows that it wrote lately, so that a create's second write doesn't read what its
/// first has written: intents, and each tenant's last number.
///
/// Only what statements that succeeded have written is noted; it is dropped when a transaction fails, and when another
/// connection has written.
struct RecentTasks {
    /// How many tasks and how many tenants are remembered; over that, everything is forgotten.
    private static let capacity = 4096

    /// SQLite's count of what other connections have committed, as it was when this was true.
    let dataVersion: Int64?
    private var intents: [TaskID: (TaskRecord, row: Int64)] = [:]
    private var lastNumbers: [String: Int64] = [:]

    init(dataVersion: Int64? = nil) { self.dataVersion = dataVersion }

    /// An intent as it is in the file, and its row.
    subscript(id: TaskID) -> (TaskRecord, row: Int64)? { intents[id] }

    func lastNumber(tenant: String) -> Int64? { lastNumbers[tenant] }

    /// A task was written.
    /// - Parameter before: the record until then; nil if it is new. Only a number that was given just now is the last.
    mutating func note(_ task: TaskRecord, row: Int64, before: TaskRecord?) {
        if intents.count >= Self.capacity { intents.removeAll(keepingCapacity: true) }
        intents[task.id] = task.state == .intent ? (task, row) : nil
        guard let number = task.number, before?.number == nil else { return }
        if lastNumbers.count >= Self.capacity { lastNumbers.removeAll(keepingCapacity: true) }
        lastNumbers[task.tenant] = number
    }
}
