extension DeliveryRecord {
    /// Reads the columns that ``Query`` lists for deliveries.
    init(row: PreparedStatement) {
        self.init(
            id: row.text(0), task: row.taskID(1), tenant: row.text(2), url: row.text(3), body: row.bytes(4),
            isLast: row.integer(5) != 0, createdAt: row.integer(6),
            state: DeliveryState(rawValue: Int(row.integer(7))) ?? .failed, attempts: Int(row.integer(8)),
            nextAttemptAt: row.optionalInteger(9), finishedAt: row.optionalInteger(10))
    }
}

/// The outbox's rows.
extension Connection {
    /// Adds a delivery to the outbox, due at once. It supersedes earlier deliveries of the task that have failed so
    /// far. Runs two statements: call it inside ``atomically(_:)``.
    func insert(
        _ delivery: NewDelivery, of task: TaskID, tenant: String, at time: Int64
    ) throws(StoreError) {
        let supersede = try statement(.supersedeDeliveries)
        supersede.bind(1, task)
        supersede.bind(2, time)
        try supersede.execute()
        let insert = try statement(.insertDelivery)
        insert.bind(1, delivery.id)
        insert.bind(2, task)
        insert.bind(3, tenant)
        insert.bind(4, delivery.isLast ? 1 : 0)
        insert.bind(5, time)
        insert.bind(6, delivery.url)
        insert.bind(7, delivery.body)
        insert.bind(8, OutboxBounds.receiver(of: delivery.url))
        try insert.execute()
    }

    /// Returns the row and the task of a delivery whose last claimed attempt is `attempt`, unless it is settled
    /// already.
    func claimed(_ id: String, _ attempt: DeliveryAttempt) throws(StoreError) -> (row: Int64, task: TaskID)? {
        let select = try statement(.claimedDelivery)
        select.bind(1, id)
        select.bind(2, attempt.number)
        return try select.first { ($0.integer(0), $0.taskID(1)) }
    }

    func insert(_ attempt: DeliveryAttempt, row: Int64) throws(StoreError) {
        let insert = try statement(.insertAttempt)
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
    func settle(row: Int64, _ state: DeliveryState, end: Int64, next: Int64? = nil) throws(StoreError) {
        let settle = try statement(.settleDelivery)
        settle.bind(1, row)
        settle.bind(2, state.rawValue)
        settle.bind(3, next)
        settle.bind(4, next == nil ? end : nil)
        settle.bind(5, next.map { max(0, $0 - end) } ?? 0)
        try settle.execute()
    }

    /// Whether a later delivery of the task is waiting.
    func hasLaterDelivery(row: Int64, task: TaskID) throws(StoreError) -> Bool {
        let select = try statement(.laterDelivery)
        select.bind(1, row)
        select.bind(2, task)
        return try select.first { $0.integer(0) } != nil
    }
}
