/// Generic code calls a pool through run-time metadata, which costs a create thousands of instructions. What each create
/// calls is compiled for SQLite's pool as well.
extension SQLTaskStore {
    @specialized(where Pool == SQLitePool)
    func begin(_ task: NewTask, _ wait: StoreWait) {
        pool.write(.synced, .new(task), wait) { connection throws(StoreError) in
            _ = try connection.tasks.insert(task)
        }
    }

    @discardableResult
    func assign(
        _ id: TaskID, to assignment: Assignment?, at time: Int64, limits: SharedLimits?
    ) async throws(StoreError) -> TaskRecord {
        let lock = limits?.account == nil ? nil : assignment.map { StoreLock.account($0.account) }
        return try await pool.write(.synced, .task(id, lock)) { connection throws(StoreError) in
            try connection.tasks.change(id) { old, life throws(StoreError) in
                if let assignment, let limits, assignment.account != old.account {
                    try connection.admit(to: assignment.account, limits)
                }
                return life.assign(assignment, at: time)
            }
        }
    }

    func queue(
        _ id: TaskID, payload: Int, at time: Int64, answering: @escaping @Sendable (TaskRecord) -> StoredAnswer
    ) async throws(StoreError) -> TaskRecord {
        try await pool.write(.synced, .task(id)) { connection throws(StoreError) in
            try connection.tasks.change(id, claim: .answered(answering)) { record, life throws(StoreError) in
                try life.queue(as: id, payload: payload, at: time) { () throws(StoreError) in
                    try connection.tasks.nextNumber(tenant: record.tenant)
                }
            }
        }
    }

    @specialized(where Pool == SQLitePool)
    func accept(
        _ id: TaskID, _ acceptance: Acceptance, ownID isPublic: @escaping @Sendable (TaskID) -> Bool,
        isRecoverable: Bool, _ wait: RecordWait, answering: @escaping @Sendable (TaskRecord) -> StoredAnswer
    ) {
        pool.write(isRecoverable ? .written : .synced, .task(id), wait) { connection throws(StoreError) in
            wait.record = try connection.tasks.change(
                id, claim: .answered(answering)
            ) { record, life throws(StoreError) in
                let number = { () throws(StoreError) in try connection.tasks.nextNumber(tenant: record.tenant) }
                // Another process may have told a client the id of its own create without recording that.
                guard isPublic(id) || record.isForeign else { return try life.accept(acceptance, number: number) }
                var own = acceptance
                own.publicID = id.description
                return try life.accept(own, number: number)
            }
        }
    }

    func refuse(
        _ id: TaskID, reason: String, at time: Int64, answer: StoredAnswer?
    ) async throws(StoreError) {
        try await pool.write(.synced, .task(id)) { connection throws(StoreError) in
            _ = try connection.tasks.change(id, claim: .released(answer)) { record, life throws(StoreError) in
                // A client that knows a job knows all of its tasks.
                if let place = record.job, try connection.jobs.isKnown(place) { return .impossible }
                return life.refuse(statusWord: reason, at: time)
            }
        }
    }

    func show(_ id: TaskID, at time: Int64) async throws(StoreError) -> TaskRecord {
        try await pool.write(.synced, .task(id)) { connection throws(StoreError) in
            try connection.tasks.change(id) { record, life throws(StoreError) in
                try life.show(as: id, at: time) { () throws(StoreError) in
                    try connection.tasks.nextNumber(tenant: record.tenant)
                }
            }
        }
    }

    func observe(_ id: TaskID, _ observation: Observation) async throws(StoreError) -> TaskRecord {
        try await pool.write(.synced, .task(id)) { connection throws(StoreError) in
            try connection.tasks.change(id, claim: .released(nil)) { $1.observe(observation) }
        }
    }

    func cancel(_ id: TaskID, reason: String, at time: Int64) async throws(StoreError) -> TaskRecord {
        try await pool.write(.synced, .task(id)) { connection throws(StoreError) in
            try connection.tasks.change(id, claim: .released(nil)) { $1.cancel(reason: reason, at: time) }
        }
    }

    func flag(_ id: TaskID, _ flags: TaskFlags) async throws(StoreError) {
        try await pool.write(.synced, .task(id)) { connection throws(StoreError) in
            _ = try connection.tasks.change(id) { $1.flag(flags) }
        }
    }

    func task(tenant: String, publicID: String) async throws(StoreError) -> TaskRecord? {
        try await pool.find { connection throws(StoreError) in
            for query in [Query.taskByPublicID, .taskByExternalID, .taskByReleasedID, .taskByUpstreamID] {
                let select = try connection.statement(query)
                select.bind(1, tenant)
                select.bind(2, publicID)
                if let record = try select.first(TaskRecord.init(row:)) { return record }
            }
            return nil
        }
    }

    func task(_ id: TaskID) async throws(StoreError) -> TaskRecord? {
        try await pool.find { connection throws(StoreError) in try connection.tasks.record(id) }
    }

    func tasks(
        tenant: String, page: Int, size: Int, answersUpTo limit: Int
    ) async throws(StoreError) -> RecordPage<TaskRecord> {
        precondition(page >= 1 && size >= 1, "pages count from 1")
        return try await pool.read { connection throws(StoreError) in
            func select(_ query: Query) throws(StoreError) -> Pool.Connection.Statement {
                let select = try connection.statement(query)
                select.bind(1, tenant)
                select.bind(2, (page - 1) * size)
                select.bind(3, size)
                return select
            }
            let bytes = try select(.pageBytes).first { Int($0.integer(0)) } ?? 0
            if bytes > limit { return .long(bytes: bytes) }
            return .records(try select(.page).rows(TaskRecord.init(row:)))
        }
    }

    func tasks(
        tenant: String, _ slice: TaskSlice, answersUpTo limit: Int
    ) async throws(StoreError) -> RecordPage<TaskRecord> {
        try await pool.read { connection throws(StoreError) in
            func select(_ query: Query) throws(StoreError) -> Pool.Connection.Statement {
                let select = try connection.statement(query)
                select.bind(1, tenant)
                select.bind(2, slice.below ?? .max)
                select.bind(3, slice.createdAt.lowerBound)
                select.bind(4, slice.createdAt.upperBound)
                select.bind(5, (slice.states ?? Set(TaskState.allCases)).reduce(0) { $0 | 1 << $1.rawValue })
                select.bind(6, slice.limit)
                return select
            }
            let bytes = try select(.sliceBytes).first { Int($0.integer(0)) } ?? 0
            if bytes > limit { return .long(bytes: bytes) }
            return .records(try select(.slice).rows(TaskRecord.init(row:)))
        }
    }

    func unfinished(after: TaskID?, limit: Int) async throws(StoreError) -> [TaskRecord] {
        try await pool.read { connection throws(StoreError) in
            let select = try connection.statement(.unfinished)
            select.bind(1, after ?? TaskID.first)
            select.bind(2, limit)
            return try select.rows(TaskRecord.init(row:))
        }
    }

    func allTasks(_ filter: TaskFilter, before: TaskID?, limit: Int) async throws(StoreError) -> [TaskRecord] {
        try await pool.read { connection throws(StoreError) in
            let isUnfinished = filter.isUnfinished || !filter.flags.isEmpty || filter.state.map { !$0.isFinal } ?? false
            let select = try connection.statement(isUnfinished ? .unfinishedList : .taskList)
            select.bind(1, before ?? TaskID.last)
            select.bind(2, limit)
            select.bind(3, filter.tenant)
            select.bind(4, filter.state.map { Int64($0.rawValue) })
            if isUnfinished { select.bind(5, filter.flags.rawValue) }
            return try select.rows(TaskRecord.init(row:))
        }
    }

    func allTasks(named id: String) async throws(StoreError) -> [TaskRecord] {
        try await pool.read { connection throws(StoreError) in
            let select = try connection.statement(.tasksNamed)
            select.bind(1, TaskID(id))
            select.bind(2, id)
            return try select.rows(TaskRecord.init(row:))
        }
    }

    func idempotency(tenant: String, key: String) async throws(StoreError) -> IdempotencyRecord? {
        try await pool.find { connection throws(StoreError) in
            try connection.claims.record(ClaimName(tenant: tenant, key: key))
        }
    }
}
