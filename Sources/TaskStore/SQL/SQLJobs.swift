/// The jobs in an SQL database.
struct SQLJobs<Pool: StorePool>: JobStore {
    let pool: Pool

    func begin(_ tasks: [NewTask], job: NewJob) async throws(StoreError) -> JobRecord {
        try await pool.write(.synced, .new(tasks)) { connection throws(StoreError) in
            try connection.jobs.insert(job, tasks)
        }
    }

    func refuse(
        job number: Int64, reason: String, at time: Int64, answer: StoredAnswer?
    ) async throws(StoreError) {
        try await pool.write { connection throws(StoreError) in
            try connection.jobs.refuse(job: number, reason, at: time, answer)
        }
    }

    func answer(job number: Int64, _ answer: StoredAnswer?) async throws(StoreError) {
        try await pool.write { connection throws(StoreError) in try connection.jobs.answer(number, answer) }
    }

    func job(tenant: String, _ number: Int64) async throws(StoreError) -> JobRecord? {
        try await pool.find { connection throws(StoreError) in
            guard let job = try connection.jobs.record(number), job.tenant == tenant else { return nil }
            return job
        }
    }

    func job(of task: TaskID) async throws(StoreError) -> JobRecord? {
        try await pool.find { connection throws(StoreError) in
            guard let place = try connection.tasks.record(task)?.job else { return nil }
            return try connection.jobs.record(place.job)
        }
    }

    func list(
        tenant: String, shape: String, createdAfter after: Int64?, createdBefore before: Int64?, limit: Int,
        answersUpTo bytes: Int
    ) async throws(StoreError) -> RecordPage<JobRecord> {
        try await pool.read { connection throws(StoreError) in
            func select(_ query: Query) throws(StoreError) -> Pool.Connection.Statement {
                let select = try connection.statement(query)
                select.bind(1, tenant)
                select.bind(2, shape)
                select.bind(3, after ?? .min)
                select.bind(4, before ?? .max)
                select.bind(5, limit)
                return select
            }
            let found = try select(.jobListBytes).first { Int($0.integer(0)) } ?? 0
            if found > bytes { return .long(bytes: found) }
            return .records(try connection.jobs.withTasks(try select(.jobList).rows(JobRecord.init(row:))))
        }
    }

    func latest(
        tenant: String, fingerprint: [UInt8], since time: Int64
    ) async throws(StoreError) -> JobRecord? {
        try await pool.find { connection throws(StoreError) in
            let select = try connection.statement(.latestJob)
            select.bind(1, tenant)
            select.bind(2, fingerprint)
            select.bind(3, time)
            return try connection.jobs.withTasks(try select.rows(JobRecord.init(row:))).first
        }
    }
}
