extension JobRecord {
    /// Reads the columns that ``Query`` lists for jobs.
    init(row: some StoreStatement) {
        self.init(
            number: row.integer(0), tenant: row.text(1), shape: row.text(2), request: row.bytes(3),
            callbackURL: row.optionalText(4), callbackRef: row.optionalText(5), idempotencyKey: row.optionalText(6),
            account: row.optionalText(7), createdAt: row.integer(8), tasks: [])
    }

    /// Returns the record with one of its tasks replaced.
    func with(_ task: TaskRecord) -> JobRecord {
        var job = self
        guard let index = job.tasks.firstIndex(where: { $0.id == task.id }) else { return job }
        job.tasks[index] = task
        return job
    }
}

/// The rows of jobs.
struct JobRows<Connection: StoreConnection> {
    let connection: Connection

    func insert(_ new: NewJob, _ tasks: [NewTask]) throws(StoreError) -> JobRecord {
        precondition(JobRecord.sizes.contains(tasks.count), "a job has one to four tasks")
        if let limit = new.maximumOtherRunningJobs, try runningJobs(of: new) > limit {
            throw StoreError(.tooManyJobs, "more than \(limit) jobs of \(new.tenant) run")
        }
        var job: JobRecord?
        try connection.atomically { () throws(StoreError) in
            let number = try insert(new)
            var records: [TaskRecord] = []
            for (index, task) in tasks.enumerated() {
                precondition(task.tenant == new.tenant, "a job is one tenant's")
                precondition(task.idempotency == nil, "the key is the job's")
                precondition(task.callbackURL == nil || new.callbackURL == nil, "who tells of the states?")
                records.append(try connection.tasks.insert(task, of: JobPlace(job: number, index: index)))
            }
            if let key = new.idempotency { try connection.claims.insert(key, for: records[0]) }
            let made = JobRecord(new, number: number, tasks: records)
            if let delivery = connection.callbacks.delivery(nil, made) {
                try insert(delivery, of: made, at: made.createdAt)
            }
            job = made
        }
        guard let job else { preconditionFailure("made, or thrown") }
        return job
    }

    /// A job with its tasks.
    func record(_ number: Int64) throws(StoreError) -> JobRecord? {
        let select = try connection.statement(.jobByNumber)
        select.bind(1, number)
        guard let job = try select.first(JobRecord.init(row:)) else { return nil }
        return try withTasks(job)
    }

    /// Reads the tasks of jobs that were read without them.
    func withTasks(_ jobs: [JobRecord]) throws(StoreError) -> [JobRecord] {
        var whole: [JobRecord] = []
        for job in jobs { whole.append(try withTasks(job)) }
        return whole
    }

    private func withTasks(_ job: JobRecord) throws(StoreError) -> JobRecord {
        var job = job
        let select = try connection.statement(.jobTasks)
        select.bind(1, job.number)
        job.tasks = try select.rows(TaskRecord.init(row:))
        return job
    }

    // MARK: Steps of tasks

    /// Applies what a step of a task means for its job. The task's row must be written already.
    func follow(_ place: JobPlace, from old: TaskRecord, to new: TaskRecord, _ claim: ClaimStep) throws(StoreError) {
        guard let job = try record(place.job) else { return }
        if let delivery = connection.callbacks.delivery(job.with(old), job.with(new)) {
            try insert(delivery, of: job, at: new.updatedAt)
        }
        guard new.isReleased, job.tasks.allSatisfy(\.isReleased) else { return }
        if let key = job.idempotencyKey {
            try connection.claims.settle(ClaimName(tenant: job.tenant, key: key), claim.forJobKey, job.tasks[0])
        }
        if job.tasks.allSatisfy({ $0.state == .refused }) { try delete(job) }
    }

    /// Whether a client knows of any task of the job, and therefore of all of them.
    func isKnown(_ place: JobPlace) throws(StoreError) -> Bool { try record(place.job)?.isKnown ?? false }

    func refuse(
        job number: Int64, _ reason: String, at time: Int64, _ answer: StoredAnswer?
    ) throws(StoreError) {
        guard let job = try record(number) else { throw StoreError(.notFound, "no job \(number)") }
        guard job.tasks.allSatisfy({ $0.state == .intent && $0.publicID == nil }) else {
            throw StoreError(.stale, "job \(number) has begun")
        }
        try connection.atomically { () throws(StoreError) in
            for task in job.tasks {
                _ = try connection.tasks.change(task.id, claim: .released(answer)) {
                    $1.refuse(statusWord: reason, at: time)
                }
            }
        }
    }

    func answer(_ number: Int64, _ answer: StoredAnswer?) throws(StoreError) {
        guard let job = try record(number), let key = job.idempotencyKey, var first = job.tasks.first else { return }
        // `settle` releases the claim of a released task only.
        first.isReleased = true
        try connection.claims.settle(ClaimName(tenant: job.tenant, key: key), .released(answer), first)
    }

    /// Deletes the job. Its tasks stay for the operator.
    private func delete(_ job: JobRecord) throws(StoreError) {
        for query in [Query.leaveJob, .deleteJob] {
            let statement = try connection.statement(query)
            statement.bind(1, job.number)
            try statement.execute()
        }
    }

    /// Adds a delivery of a job under its first task, so that all deliveries of the job are sent in order.
    private func insert(_ delivery: NewDelivery, of job: JobRecord, at time: Int64) throws(StoreError) {
        try connection.deliveries.insert(delivery, of: job.tasks[0], at: time)
    }

    private func runningJobs(of new: NewJob) throws(StoreError) -> Int64 {
        let select = try connection.statement(.runningJobs)
        select.bind(1, new.tenant)
        select.bind(2, new.account)
        return try select.first { $0.integer(0) } ?? 0
    }

    private func insert(_ job: NewJob) throws(StoreError) -> Int64 {
        let insert = try connection.statement(.insertJob)
        insert.bind(1, job.tenant)
        insert.bind(2, job.shape)
        insert.bind(3, job.request)
        insert.bind(4, job.callbackURL)
        insert.bind(5, job.callbackRef)
        insert.bind(6, job.idempotency?.key)
        insert.bind(7, job.account)
        insert.bind(8, job.createdAt)
        insert.bind(9, job.fingerprint)
        return try insert.insert()
    }
}

extension JobRecord {
    fileprivate init(_ new: NewJob, number: Int64, tasks: [TaskRecord]) {
        self.init(
            number: number, tenant: new.tenant, shape: new.shape, request: new.request, callbackURL: new.callbackURL,
            callbackRef: new.callbackRef, idempotencyKey: new.idempotency?.key, account: new.account,
            createdAt: new.createdAt, tasks: tasks)
    }
}

extension ClaimStep {
    /// The step for the key of a job none of whose tasks will be created.
    fileprivate var forJobKey: ClaimStep {
        if case .released = self { self } else { .released(nil) }
    }
}
