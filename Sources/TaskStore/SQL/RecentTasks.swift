/// A cache of rows that the writing connection wrote recently: intents, and each tenant's last number. It saves a
/// create's second write from reading what the first one wrote.
///
/// It holds only what was written successfully. It is dropped when a transaction fails, and when another connection has
/// written.
struct RecentTasks {
    /// How many tasks, and how many tenants, are cached. When one of the two is full, all of its entries are evicted.
    private static let capacity = 4096

    /// The value of SQLite's `data_version` for which the cache is valid: it changes when another connection commits.
    let dataVersion: Int64?
    /// Whether tasks in every state are cached, and not only intents: by a cache that lasts for one transaction.
    private let hasAllStates: Bool
    private var intents: [TaskID: (TaskRecord, row: Int64)] = [:]
    private var lastNumbers: [String: Int64] = [:]

    init(dataVersion: Int64? = nil, hasAllStates: Bool = false) {
        (self.dataVersion, self.hasAllStates) = (dataVersion, hasAllStates)
    }

    /// The intent as it is in the file, and its row; nil if it is not cached.
    subscript(id: TaskID) -> (TaskRecord, row: Int64)? { intents[id] }

    func lastNumber(tenant: String) -> Int64? { lastNumbers[tenant] }

    /// Records that a task was written.
    /// - Parameter before: the previous record; nil if the task is new. The task's number is the tenant's last one only
    ///   if this write assigned it.
    mutating func note(_ task: TaskRecord, row: Int64, before: TaskRecord?) {
        if intents.count >= Self.capacity { intents.removeAll(keepingCapacity: true) }
        intents[task.id] = task.state == .intent || hasAllStates ? (task, row) : nil
        note(lastNumberOf: task, before: before)
    }

    /// Caches a task that was read.
    mutating func keep(_ task: TaskRecord, row: Int64) { intents[task.id] = (task, row) }

    /// Caches the last number of a tenant that was read.
    mutating func keep(lastNumber number: Int64, tenant: String) { lastNumbers[tenant] = number }

    private mutating func note(lastNumberOf task: TaskRecord, before: TaskRecord?) {
        guard let number = task.number, before?.number == nil else { return }
        if lastNumbers.count >= Self.capacity { lastNumbers.removeAll(keepingCapacity: true) }
        lastNumbers[task.tenant] = number
    }
}
