/// What a task's step does to the `Idempotency-Key` that the task has claimed.
enum ClaimStep {
    /// Nothing.
    case kept
    /// The client is answered. The answer is stored if there is none yet.
    case answered(@Sendable (TaskRecord) -> StoredAnswer)
    /// If the step released the task's names, an open key gets this answer, or is freed if it is nil.
    case released(StoredAnswer?)
}

/// Identifies a claim.
struct ClaimName {
    let tenant: String
    let key: String
}

/// The rows of `Idempotency-Key`s.
struct ClaimRows<Connection: StoreConnection> {
    let connection: Connection

    /// Claims a key for a task. A claim that has expired is replaced.
    func insert(_ key: IdempotencyKey, for task: TaskRecord) throws(StoreError) {
        let drop = try connection.statement(.dropOldClaim)
        drop.bind(1, task.tenant)
        drop.bind(2, key.key)
        drop.bind(3, key.expiry)
        try drop.execute()
        let insert = try connection.statement(.insertClaim)
        insert.bind(1, task.tenant)
        insert.bind(2, key.key)
        insert.bind(3, key.fingerprint)
        insert.bind(4, task.id)
        insert.bind(5, task.createdAt)
        try insert.execute()
    }

    /// Applies a step of a task to the key that the task claimed.
    func settle(_ name: ClaimName, _ step: ClaimStep, _ task: TaskRecord) throws(StoreError) {
        switch step {
        case .kept: return
        case .answered(let answering):
            guard let claim = try openClaim(name, task.id) else { return }
            try answer(claim, answering(task))
        case .released(let stored):
            guard task.isReleased, let claim = try openClaim(name, task.id) else { return }
            if let stored { return try answer(claim, stored) }
            let free = try connection.statement(.freeClaim)
            free.bind(1, claim)
            try free.execute()
        }
    }

    func record(_ name: ClaimName) throws(StoreError) -> IdempotencyRecord? {
        let select = try connection.statement(.claim)
        select.bind(1, name.tenant)
        select.bind(2, name.key)
        return try select.first { row in
            let answer = row.optionalInteger(3).map { StoredAnswer(status: Int($0), body: row.bytes(4)) }
            return IdempotencyRecord(
                fingerprint: row.bytes(0), task: row.taskID(1), answer: answer, createdAt: row.integer(2))
        }
    }

    /// Returns the row of a key that the task claimed and that has no answer; nil also if another task has claimed it
    /// since.
    private func openClaim(_ name: ClaimName, _ task: TaskID) throws(StoreError) -> Int64? {
        let select = try connection.statement(.openClaim)
        select.bind(1, name.tenant)
        select.bind(2, name.key)
        select.bind(3, task)
        return try select.first { $0.integer(0) }
    }

    private func answer(_ claim: Int64, _ answer: StoredAnswer) throws(StoreError) {
        let update = try connection.statement(.answerClaim)
        update.bind(1, claim)
        update.bind(2, answer.status)
        update.bind(3, answer.body)
        try update.execute()
    }
}
