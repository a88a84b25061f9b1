extension TaskRecord {
    /// Reads the columns that ``Query`` lists for tasks.
    init(row: PreparedStatement) {
        self.init(
            id: row.taskID(0), tenant: row.text(1), account: row.text(2), externalTaskID: row.optionalText(3),
            model: row.text(4), callbackURL: row.optionalText(5), createdAt: row.integer(6),
            state: TaskState(rawValue: Int(row.integer(7))) ?? .intent, flags: TaskFlags(rawValue: Int(row.integer(8))),
            number: row.optionalInteger(9), publicID: row.optionalText(10), upstreamID: row.optionalText(11),
            statusWord: row.text(12), answer: row.isNull(13) ? nil : row.bytes(13), isReleased: row.integer(14) != 0,
            updatedAt: row.integer(15), finishedAt: row.optionalInteger(16))
    }
}

/// The tasks' rows. A write changes the database by one statement at most: if it fails, SQLite undoes just that, and
/// the other writes of the transaction stand without a savepoint for each.
extension Connection {
    func insert(_ task: NewTask) throws(StoreError) {
        let insert = try statement(.insertTask)
        insert.bind(1, task.id)
        insert.bind(2, task.tenant)
        insert.bind(3, task.account)
        insert.bind(4, task.externalTaskID)
        insert.bind(5, task.model)
        insert.bind(6, task.callbackURL)
        insert.bind(7, task.createdAt)
        try insert.execute()
    }

    /// Takes a record one step on, and keeps what changed.
    /// - Returns: the record as it is now.
    func change(
        _ id: TaskID, _ step: (inout TaskRecord) throws(StoreError) -> TaskRecord.Step
    ) throws(StoreError) -> TaskRecord {
        let select = try statement(.taskByID)
        select.bind(1, id)
        guard let (old, row) = try select.first({ (TaskRecord(row: $0), $0.integer(17)) }) else {
            throw StoreError(.notFound, "no task \(id)")
        }
        var new = old
        switch try step(&new) {
        case .unchanged: break
        case .impossible: throw StoreError(.stale, "task \(id) is \(old.state) already")
        case .changed: try update(row, from: old, to: new)
        }
        return new
    }

    /// The number behind the last that the tenant's tasks have.
    func nextNumber(tenant: String) throws(StoreError) -> Int64 {
        let last = try statement(.lastNumber)
        last.bind(1, tenant)
        return (try last.first { $0.integer(0) } ?? 0) + 1
    }

    private func update(_ row: Int64, from old: TaskRecord, to new: TaskRecord) throws(StoreError) {
        let named = new.publicID != old.publicID || new.upstreamID != old.upstreamID
        let ended = new.finishedAt != old.finishedAt
        let query: Query =
            switch (named, ended, new.isReleased != old.isReleased) {
            case (false, false, false): .advanceTask
            case (true, false, false): .nameTask
            case (false, true, false): .endTask
            default: .rewriteTask
            }
        let update = try statement(query)
        update.bind(1, row)
        update.bind(2, new.state.rawValue)
        update.bind(3, new.flags.rawValue)
        update.bind(4, new.statusWord)
        update.bind(5, new.answer)
        update.bind(6, new.updatedAt)
        if query == .endTask { update.bind(7, new.finishedAt) }
        if query == .nameTask || query == .rewriteTask {
            update.bind(7, new.number)
            update.bind(8, new.publicID)
            update.bind(9, new.upstreamID)
        }
        if query == .rewriteTask {
            update.bind(10, new.isReleased ? 1 : 0)
            update.bind(11, new.finishedAt)
        }
        try update.execute()
    }
}
