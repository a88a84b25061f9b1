extension DeliveryRecord {
    /// Reads the columns that ``Query`` lists for deliveries.
    init(row: some StoreStatement) {
        self.init(
            id: row.text(0), task: row.taskID(1), tenant: row.text(2), url: row.text(3), body: row.bytes(4),
            isLast: row.integer(5) != 0, createdAt: row.integer(6),
            state: DeliveryState(rawValue: Int(row.integer(7))) ?? .failed, attempts: Int(row.integer(8)),
            nextAttemptAt: row.optionalInteger(9), finishedAt: row.optionalInteger(10))
    }
}

/// The outbox's rows.
struct DeliveryRows<Connection: StoreConnection> {
    let connection: Connection

    /// Adds a delivery to the outbox, due at once. It supersedes earlier deliveries of the task that have failed so
    /// far. Runs two statements: call it inside ``StoreConnection/atomically(_:)``.
    func insert(_ delivery: NewDelivery, of task: TaskRecord, at time: Int64) throws(StoreError) {
        let supersede = try connection.statement(.supersedeDeliveries)
        supersede.bind(1, task.id)
        supersede.bind(2, time)
        try supersede.execute()
        let insert = try connection.statement(.insertDelivery)
        insert.bind(1, delivery.id)
        insert.bind(2, task.id)
        insert.bind(3, task.tenant)
        insert.bind(4, delivery.isLast ? 1 : 0)
        insert.bind(5, time)
        insert.bind(6, delivery.url)
        insert.bind(7, delivery.body)
        insert.bind(8, OutboxBounds.receiver(of: delivery.url))
        try insert.execute()
    }

    /// Records how an attempt ended, unless it is not the last one that was claimed.
    func settle(_ id: String, _ attempt: DeliveryAttempt, _ outcome: DeliveryOutcome) throws(StoreError) {
        guard let (row, task) = try claimed(id, attempt) else { return }
        let end = attempt.startedAt + attempt.duration
        try connection.atomically { () throws(StoreError) in
            try insert(attempt, row: row)
            switch outcome {
            case .delivered: try settle(row: row, .delivered, end: end)
            case .gaveUp: try settle(row: row, .failed, end: end)
            case .retry(let time):
                if try hasLater(row: row, task: task) {
                    try settle(row: row, .superseded, end: end)
                } else {
                    try settle(row: row, .waiting, end: end, next: time)
                }
            }
        }
    }

    /// Returns the row and the task of a delivery whose last claimed attempt is `attempt`, unless it is settled
    /// already.
    private func claimed(_ id: String, _ attempt: DeliveryAttempt) throws(StoreError) -> (row: Int64, task: TaskID)? {
        let select = try connection.statement(.claimedDelivery)
        select.bind(1, id)
        select.bind(2, attempt.number)
        return try select.first { ($0.integer(0), $0.taskID(1)) }
    }

    private func insert(_ attempt: DeliveryAttempt, row: Int64) throws(StoreError) {
        let insert = try connection.statement(.insertAttempt)
        insert.bind(1, row)
        insert.bind(2, attempt.number)
        insert.bind(3, attempt.startedAt)
        insert.bind(4, attempt.duration)
        insert.bind(5, attempt.status.map(Int64.init))
        insert.bind(6, attempt.failure)
        try insert.execute()
    }

    /// Writes the state of a delivery after an attempt.
    /// - Parameters:
    ///   - end: when the attempt ended.
    ///   - next: when the next attempt may begin; nil if there is none.
    private func settle(row: Int64, _ state: DeliveryState, end: Int64, next: Int64? = nil) throws(StoreError) {
        let settle = try connection.statement(.settleDelivery)
        settle.bind(1, row)
        settle.bind(2, state.rawValue)
        settle.bind(3, next)
        settle.bind(4, next == nil ? end : nil)
        settle.bind(5, next.map { max(0, $0 - end) } ?? 0)
        try settle.execute()
    }

    /// Whether a later delivery of the task is waiting.
    private func hasLater(row: Int64, task: TaskID) throws(StoreError) -> Bool {
        let select = try connection.statement(.laterDelivery)
        select.bind(1, row)
        select.bind(2, task)
        return try select.first { $0.integer(0) } != nil
    }
}
