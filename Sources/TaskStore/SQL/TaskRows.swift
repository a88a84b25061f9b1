extension TaskRecord {
    /// Reads the columns that ``Query`` lists for tasks.
    init(row: some StoreStatement) { self.init(TaskIntent(row: row), TaskLife(row: row)) }
}

extension TaskIntent {
    fileprivate init(row: some StoreStatement) {
        self.init(
            id: row.taskID(0), tenant: row.text(1), externalTaskID: row.optionalText(3), model: row.text(4),
            callbackURL: row.optionalText(5), keyID: row.optionalText(17), idempotencyKey: row.optionalText(18),
            createdAt: row.integer(6), job: JobPlace(row: row), content: row.content(24), shape: row.optionalText(26),
            day: row.optionalInteger(27).map(Int.init) ?? CivilDate.day(of: row.integer(6)), bytes: Int(row.integer(31))
        )
    }
}

extension TaskLife {
    fileprivate init(row: some StoreStatement) {
        self.init(
            assignment: Assignment(row: row), state: TaskState(rawValue: Int(row.integer(7))) ?? .intent,
            flags: TaskFlags(rawValue: Int(row.integer(8))), number: row.optionalInteger(9),
            publicID: row.optionalText(10), upstreamID: row.optionalText(11), statusWord: row.text(12),
            answer: row.optionalBytes(13), isReleased: row.integer(14) != 0, updatedAt: row.integer(15),
            finishedAt: row.optionalInteger(16), payload: Int(row.integer(19)),
            charge: Charge(units: row.integer(28), cash: row.integer(29), currency: row.text(30)),
            isForeign: row.integer(32) != 0)
    }
}

extension Assignment {
    /// An account of '' means that the task has none.
    fileprivate init?(row: some StoreStatement) {
        let account = row.text(2)
        if account.isEmpty { return nil }
        self.init(account: account, identity: row.optionalInteger(23), api: row.optionalText(25))
    }
}

extension JobPlace {
    fileprivate init?(row: some StoreStatement) {
        guard let job = row.optionalInteger(20) else { return nil }
        self.init(job: job, index: Int(row.integer(21)))
    }
}

/// The rows of tasks. Most steps change the database by one statement. If it fails, SQLite rolls back that statement
/// alone, so the transaction's other writes are kept without a savepoint for each step.
struct TaskRows<Connection: StoreConnection> {
    let connection: Connection

    func insert(_ task: NewTask, of job: JobPlace? = nil) throws(StoreError) -> TaskRecord {
        let record = TaskRecord(task, job: job)
        try connection.checkRivals(of: task)
        try connection.budgets.admit(record)
        try connection.admit(task)
        let delivery = connection.callbacks.delivery(nil, record)
        var row: Int64?
        if task.idempotency == nil, delivery == nil {
            row = try insert(record)
        } else {
            try connection.atomically { () throws(StoreError) in
                if let key = task.idempotency { try connection.claims.insert(key, for: record) }
                row = try insert(record)
                if let delivery { try connection.deliveries.insert(delivery, of: record, at: record.updatedAt) }
            }
        }
        connection.budgets.note(record, before: nil)
        connection.note(record, insertedAs: row)
        return record
    }

    /// Applies a step to a record, and writes what changed together with everything that follows from it.
    /// - Parameter step: changes the life of the record that it is given.
    /// - Returns: the record as it is now.
    func change(
        _ id: TaskID, claim: ClaimStep = .kept,
        _ step: (TaskRecord, inout TaskLife) throws(StoreError) -> TaskLife.Step
    ) throws(StoreError) -> TaskRecord {
        guard let (old, row) = try find(id) else { throw StoreError(.notFound, "no task \(id)") }
        var life = old.life
        switch try step(old, &life) {
        case .unchanged: return old
        case .impossible: throw StoreError(.stale, "task \(id) is \(old.state) already")
        case .changed: break
        }
        let new = TaskRecord(old.intent, life)
        let delivery = connection.callbacks.delivery(old, new)
        let claimed = new.idempotencyKey.map { ClaimName(tenant: new.tenant, key: $0) }
        let isEnd = new.state.isFinal && !old.state.isFinal
        if claimed == nil, delivery == nil, new.job == nil, !isEnd {
            try update(row, from: old, to: new)
        } else {
            if claimed != nil || delivery != nil || new.job != nil { connection.demandSync() }
            try connection.atomically { () throws(StoreError) in
                try update(row, from: old, to: new)
                if isEnd { try connection.usage.add(new) }
                if let claimed { try connection.claims.settle(claimed, claim, new) }
                if let delivery { try connection.deliveries.insert(delivery, of: new, at: new.updatedAt) }
                if let place = new.job { try connection.jobs.follow(place, from: old, to: new, claim) }
            }
        }
        if new.isForeign { try connection.announce(id) }
        connection.budgets.note(new, before: old)
        connection.recent.note(new, row: row, before: old)
        return new
    }

    /// Returns the number after the last one that the tenant's tasks have.
    func nextNumber(tenant: String) throws(StoreError) -> Int64 {
        if let last = connection.recent.lastNumber(tenant: tenant) { return last + 1 }
        try connection.lock(.tenant(tenant))
        let last = try connection.statement(.lastNumber)
        last.bind(1, tenant)
        return (try last.first { $0.integer(0) } ?? 0) + 1
    }

    /// Reads a task by the gateway's id.
    func record(_ id: TaskID) throws(StoreError) -> TaskRecord? {
        let select = try connection.statement(.taskByID)
        select.bind(1, id)
        return try select.first(TaskRecord.init(row:))
    }

    private func find(_ id: TaskID) throws(StoreError) -> (TaskRecord, row: Int64)? {
        if let known = connection.recent[id] { return known }
        let select = try connection.statement(.taskToChange)
        select.bind(1, id)
        return try select.first { (TaskRecord(row: $0), $0.integer(22)) }
    }

    private func insert(_ task: TaskRecord) throws(StoreError) -> Int64? {
        if let row = try connection.postpone(task) { return row }
        let insert = try connection.statement(.insertTask)
        task.bindIntent(to: insert)
        return try insert.insertRow()
    }

    private func update(_ row: Int64, from old: TaskRecord, to new: TaskRecord) throws(StoreError) {
        let query = Query(updating: old, to: new)
        if connection.postpone(new, query, row) { return }
        let update = try connection.statement(query, updating: row)
        new.bindChange(query, to: update)
        try update.execute()
    }
}

extension Query {
    /// The update that writes what has changed, and few other columns.
    fileprivate init(updating old: TaskRecord, to new: TaskRecord) {
        let isNamed = new.publicID != old.publicID || new.upstreamID != old.upstreamID
        let isEnded = new.finishedAt != old.finishedAt
        let isReassigned = new.assignment != old.assignment
        let hasRareChanges = new.isReleased != old.isReleased || new.payload != old.payload
        self =
            switch (isNamed, isEnded, isReassigned, hasRareChanges || isReassigned && new.state != old.state) {
            case (false, false, true, false): .assignTask
            case (false, false, false, false): .advanceTask
            case (true, false, false, false): .nameTask
            case (false, true, false, false): .endTask
            default: .rewriteTask
            }
    }
}
