import TaskStore
import Testing

/// Jobs: several tasks behind one request.
extension StoreContractTests {
    private func states(_ job: JobRecord?) -> [TaskState]? { job.map { $0.tasks.map(\.state) } }

    @Test(arguments: stores)
    func `a job is found with its tasks in order, by its own tenant only`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let tasks = samples.tasks(4, externalTaskID: "order-1")
            let made = try await store.jobs.begin(
                tasks, job: Samples.job(callbackURL: "https://client.example/jobs", account: "main"))
            #expect(made.number > 100_000_000 && made.number < 1 << 53)
            #expect(made.tenant == "shop" && made.shape == "useapi" && made.request == Array("{}".utf8))
            #expect(made.callbackURL == "https://client.example/jobs" && made.callbackRef == "ref-1")
            #expect(made.idempotencyKey == nil && made.account == "main" && made.createdAt == 1_000)
            #expect(made.tasks.map(\.id) == tasks.map(\.id) && made.tasks.map(\.account) == ["main", nil, nil, nil])
            #expect(made.tasks.map { $0.job?.job } == Array(repeating: made.number, count: 4))
            #expect(made.tasks.map { $0.job?.index } == [0, 1, 2, 3])
            #expect(!made.isKnown && !made.isFinal && made.updatedAt == 1_000)
            #expect(try await store.jobs.job(tenant: "shop", made.number) == made)
            #expect(try await store.jobs.job(of: tasks[2].id) == made)
            #expect(try await store.jobs.job(tenant: "other", made.number) == nil)
            #expect(try await store.task(tenant: "shop", publicID: "order-1") == made.tasks[0])
            let single = samples.task()
            try await store.begin(single)
            #expect(try await store.task(single.id)?.job == nil)
            #expect(try await store.jobs.job(of: single.id) == nil)
            let next = try await store.jobs.begin(samples.tasks(1), job: Samples.job())
            #expect(next.number > made.number)
        }
    }

    @Test(arguments: stores)
    func `the tasks of a job have separate states, and the job shows them`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let tasks = samples.tasks(3)
            let made = try await store.jobs.begin(tasks, job: Samples.job())
            let first = try await store.accept(tasks[0].id, Samples.acceptance("kling-1"))
            #expect(first.job == JobPlace(job: made.number, index: 0) && first.number == 1)
            _ = try await store.queue(tasks[2].id)
            var job = try #require(try await store.jobs.job(tenant: "shop", made.number))
            #expect(job.isKnown && job.updatedAt == 2_000 && states(job) == [.submitted, .intent, .queued])
            _ = try await store.observe(tasks[0].id, Samples.seen(.succeed, at: 3_000))
            _ = try await store.cancel(tasks[2].id, reason: "no", at: 4_000)
            _ = try await store.observe(tasks[1].id, Samples.seen(.failed, word: "refused", at: 5_000))
            job = try #require(try await store.jobs.job(tenant: "shop", made.number))
            #expect(job.isFinal && job.updatedAt == 5_000 && states(job) == [.succeed, .failed, .failed])
        }
    }

    @Test(arguments: stores)
    func `a job is written whole or not at all`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            try await store.begin(samples.task(externalTaskID: "order-1"))
            var tasks = samples.tasks(3)
            tasks[2].externalTaskID = "order-1"
            let job = Samples.job(key: "try-1")
            let broken = tasks
            #expect(
                await failure { () throws(StoreError) in try await store.jobs.begin(broken, job: job) }
                    == .externalTaskIDInUse)
            for task in tasks { #expect(try await store.task(task.id) == nil) }
            #expect(try await store.idempotency(tenant: "shop", key: "try-1") == nil)
            // What the failed job had noted in memory is gone with it.
            tasks[2].externalTaskID = nil
            let made = try await store.jobs.begin(tasks, job: job)
            #expect(try await store.jobs.job(tenant: "shop", made.number) == made)
            let second = samples.tasks(2)
            #expect(
                await failure { () throws(StoreError) in try await store.jobs.begin(second, job: job) }
                    == .idempotencyKeyInUse)
        }
    }

    // MARK: Refusal

    @Test(arguments: stores)
    func `a job that is refused before its client knows of it is no longer found`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let tasks = samples.tasks(3, externalTaskID: "order-1")
            let made = try await store.jobs.begin(tasks, job: Samples.job(fingerprint: [7], key: "try-1"))
            let refusal = StoredAnswer(status: 400, body: [4])
            try await store.jobs.refuse(job: made.number, reason: "content", at: 2_000, answer: refusal)
            #expect(try await store.jobs.job(tenant: "shop", made.number) == nil)
            #expect(try await store.jobs.latest(tenant: "shop", fingerprint: [7], since: 0) == nil)
            #expect(try await store.jobs.job(of: tasks[0].id) == nil)
            for task in tasks {
                let record = try #require(try await store.task(task.id))
                #expect(record.state == .refused && record.statusWord == "content" && record.job == nil)
            }
            #expect(try await store.idempotency(tenant: "shop", key: "try-1")?.answer == refusal)
            #expect(try await store.unfinished(after: nil, limit: 9).isEmpty)
            try await store.begin(samples.task(externalTaskID: "order-1"))
            #expect(
                await failure { () throws(StoreError) in
                    try await store.jobs.refuse(job: made.number, reason: "content", at: 2_000, answer: nil)
                } == .notFound)
        }
    }

    @Test(arguments: stores)
    func `neither a job nor its tasks can be refused once the client knows of one`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let tasks = samples.tasks(2)
            let made = try await store.jobs.begin(tasks, job: Samples.job(key: "try-1"))
            _ = try await store.accept(tasks[1].id, Samples.acceptance("kling-1"))
            let before = try await store.jobs.job(tenant: "shop", made.number)
            #expect(
                await failure { () throws(StoreError) in
                    try await store.jobs.refuse(job: made.number, reason: "content", at: 3_000, answer: nil)
                } == .stale)
            #expect(
                await failure { () throws(StoreError) in
                    try await store.refuse(tasks[0].id, reason: "content", at: 3_000)
                } == .stale)
            #expect(try await store.jobs.job(tenant: "shop", made.number) == before)
            #expect(try await store.idempotency(tenant: "shop", key: "try-1")?.task == tasks[0].id)
        }
    }

    @Test(arguments: stores)
    func `a job disappears when all its tasks are refused, and stays if one continues`(_ subject: Subject) async throws
    {
        try await with(subject) { store, samples in
            let (gone, stays) = (samples.tasks(2), samples.tasks(2))
            let first = try await store.jobs.begin(gone, job: Samples.job(key: "try-1"))
            let second = try await store.jobs.begin(stays, job: Samples.job(key: "try-2"))
            try await store.refuse(gone[0].id, reason: "not sent", at: 2_000)
            #expect(try await store.jobs.job(tenant: "shop", first.number) != nil)
            #expect(try await store.idempotency(tenant: "shop", key: "try-1") != nil)
            try await store.refuse(gone[1].id, reason: "not sent", at: 2_000)
            #expect(try await store.jobs.job(tenant: "shop", first.number) == nil)
            #expect(try await store.idempotency(tenant: "shop", key: "try-1") == nil)

            try await store.refuse(stays[1].id, reason: "not sent", at: 2_000)
            _ = try await store.accept(stays[0].id, Samples.acceptance("kling-1"))
            #expect(states(try await store.jobs.job(tenant: "shop", second.number)) == [.submitted, .refused])
            #expect(try await store.idempotency(tenant: "shop", key: "try-2") != nil)
        }
    }

    // MARK: The key

    @Test(arguments: stores)
    func `a job's key keeps the first answer, or is freed without one`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let tasks = samples.tasks(2)
            let made = try await store.jobs.begin(tasks, job: Samples.job(key: "try-1"))
            _ = try await store.accept(tasks[0].id, Samples.acceptance("kling-1"))
            var known = try #require(try await store.idempotency(tenant: "shop", key: "try-1"))
            #expect(known.answer == nil && known.task == tasks[0].id && made.idempotencyKey == "try-1")
            let answer = StoredAnswer(status: 200, body: [1])
            try await store.jobs.answer(job: made.number, answer)
            try await store.jobs.answer(job: made.number, StoredAnswer(status: 200, body: [2]))
            try await store.jobs.answer(job: made.number, nil)
            known = try #require(try await store.idempotency(tenant: "shop", key: "try-1"))
            #expect(known.answer == answer)

            let freed = try await store.jobs.begin(samples.tasks(1), job: Samples.job(key: "try-2"))
            try await store.jobs.answer(job: freed.number, nil)
            #expect(try await store.idempotency(tenant: "shop", key: "try-2") == nil)
            // Neither a job without a key nor an unknown job has an answer to keep.
            let plain = try await store.jobs.begin(samples.tasks(1), job: Samples.job())
            try await store.jobs.answer(job: plain.number, answer)
            try await store.jobs.answer(job: 1, answer)
        }
    }

    // MARK: Finding

    @Test(arguments: stores)
    func `a tenant's jobs are listed newest first, if their clients know of them`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            var numbers: [Int64] = []
            for time in [1_000, 2_000, 2_000, 3_000] as [Int64] {
                let tasks = samples.tasks(2, at: time)
                numbers.append(try await store.jobs.begin(tasks, job: Samples.job(at: time)).number)
                _ = try await store.accept(tasks[1].id, Samples.acceptance("kling-\(numbers.count)"))
            }
            _ = try await store.jobs.begin(samples.tasks(2), job: Samples.job(at: 4_000))
            for job in [Samples.job(tenant: "other"), Samples.job(shape: "openai")] {
                let task = samples.tasks(1, tenant: job.tenant)
                _ = try await store.jobs.begin(task, job: job)
                _ = try await store.show(task[0].id, at: 1)
            }
            func list(after: Int64? = nil, before: Int64? = nil, limit: Int = 9) async throws -> [Int64] {
                try await store.jobs.list(
                    tenant: "shop", shape: "useapi", createdAfter: after, createdBefore: before, limit: limit
                )
                .map { $0.tasks.count == 2 ? $0.number : 0 }
            }
            #expect(try await list() == numbers.reversed())
            #expect(try await list(limit: 2) == [numbers[3], numbers[2]])
            #expect(try await list(after: 1_000) == [numbers[3], numbers[2], numbers[1]])
            #expect(try await list(before: 3_000) == [numbers[2], numbers[1], numbers[0]])
            #expect(try await list(after: 2_000, before: 3_000).isEmpty)
        }
    }

    @Test(arguments: stores)
    func `the newest job with the same content is found, known to its client or not`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            var jobs: [JobRecord] = []
            for (tenant, content, time) in [
                ("shop", 1, 1_000), ("shop", 1, 2_000), ("shop", 2, 3_000), ("other", 1, 4_000),
            ]
                as [(String, UInt8, Int64)]
            {
                let job = Samples.job(tenant: tenant, fingerprint: [content], at: time)
                jobs.append(try await store.jobs.begin(samples.tasks(1, tenant: tenant, at: time), job: job))
            }
            #expect(try await store.jobs.latest(tenant: "shop", fingerprint: [1], since: 2_000) == jobs[1])
            #expect(try await store.jobs.latest(tenant: "shop", fingerprint: [1], since: 2_001) == nil)
            #expect(try await store.jobs.latest(tenant: "shop", fingerprint: [3], since: 0) == nil)
        }
    }

    @Test(arguments: stores)
    func `running jobs are limited per tenant, and per account if one is named`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            var running: [TaskID] = []
            for (tenant, account) in [("shop", "main"), ("shop", "second"), ("other", "main")] {
                let tasks = samples.tasks(3, tenant: tenant, account: account)
                _ = try await store.jobs.begin(tasks, job: Samples.job(tenant: tenant))
                running.append(contentsOf: tasks.map(\.id))
            }
            try await store.begin(samples.task())
            for (account, running) in [(nil, 2), ("main", 1), ("second", 1), ("third", 0)] as [(String?, Int)] {
                let tasks = samples.tasks(1, account: "third")
                let job = Samples.job(account: account, maximumOtherRunningJobs: running - 1)
                #expect(
                    await failure { () throws(StoreError) in try await store.jobs.begin(tasks, job: job) }
                        == .tooManyJobs)
                #expect(try await store.task(tasks[0].id) == nil)
            }
            for id in running[..<3] { _ = try await store.observe(id, Samples.seen(.failed)) }
            // A job that waits for an account counts for the account that it must use.
            _ = try await store.jobs.begin(
                samples.tasks(1, account: nil), job: Samples.job(account: "main", maximumOtherRunningJobs: 0))
            let tasks = samples.tasks(1, account: nil)
            #expect(
                await failure { () throws(StoreError) in
                    try await store.jobs.begin(tasks, job: Samples.job(account: "main", maximumOtherRunningJobs: 0))
                } == .tooManyJobs)
            _ = try await store.jobs.begin(tasks, job: Samples.job(maximumOtherRunningJobs: 2))
        }
    }

    // MARK: Deliveries and pruning

    @Test(arguments: stores)
    func `a job's steps are sent in order, and a failed one gives way to the next`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let tasks = samples.tasks(2)
            let made = try await store.jobs.begin(tasks, job: Samples.job(callbackURL: "https://client.example/jobs"))
            func waiting() async throws -> [String] {
                let all = try await store.outbox.deliveries(DeliveryFilter(state: .waiting), limit: 9)
                #expect(all.allSatisfy { $0.task == tasks[0].id && $0.tenant == "shop" })
                return all.reversed().map { String(decoding: $0.body, as: UTF8.self) }
            }
            #expect(try await waiting().isEmpty)
            _ = try await store.accept(tasks[1].id, Samples.acceptance("kling-2", at: 2_000))
            _ = try await store.accept(tasks[0].id, Samples.acceptance("kling-1", at: 2_100))
            #expect(try await waiting() == ["ref-1 is intent,submitted", "ref-1 is submitted,submitted"])
            let first = try #require(try await store.outbox.dueDeliveries(at: 9_000, limit: 9).first)
            #expect(first.url == "https://client.example/jobs" && first.createdAt == 2_000 && !first.isLast)
            #expect(try await store.outbox.claim(delivery: first.id, attempts: 0, lease: 10, at: 2_200))
            let attempt = DeliveryAttempt(number: 1, startedAt: 2_200, duration: 1, status: 500)
            try await store.outbox.settle(delivery: first.id, attempt, .retry(at: 9_000))
            #expect(try await waiting() == ["ref-1 is submitted,submitted"])
            _ = try await store.observe(tasks[0].id, Samples.seen(.succeed, at: 3_000))
            _ = try await store.observe(tasks[1].id, Samples.seen(.failed, at: 3_100))
            #expect(try await waiting().last == "ref-1 is succeed,failed")
            #expect(
                try await store.outbox.deliveries(DeliveryFilter(task: "kling-1"), limit: 1).map(\.isLast) == [true])
            #expect(try await store.jobs.job(tenant: "shop", made.number)?.isFinal == true)
        }
    }

    @Test(arguments: stores)
    func `a job is pruned with its tasks, long after the last of them has ended`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            func prune(_ time: Int64) async throws -> Int {
                try await store.prune(
                    tasksFinishedBefore: time, deliveriesFinishedBefore: 0, idempotencyKeysCreatedBefore: 0, limit: 9)
            }
            let tasks = samples.tasks(2)
            let made = try await store.jobs.begin(tasks, job: Samples.job())
            for (index, task) in tasks.enumerated() {
                _ = try await store.accept(task.id, Samples.acceptance("kling-\(index)"))
            }
            _ = try await store.observe(tasks[0].id, Samples.seen(.succeed, at: 3_000))
            #expect(try await prune(9_000) == 0)
            _ = try await store.observe(tasks[1].id, Samples.seen(.succeed, at: 4_000))
            #expect(try await prune(4_000) == 0)
            #expect(try await store.jobs.job(tenant: "shop", made.number)?.tasks.count == 2)
            #expect(try await prune(4_001) == 1)
            #expect(try await store.jobs.job(tenant: "shop", made.number) == nil)
            for task in tasks { #expect(try await store.task(task.id) == nil) }
            // Its number is not used again.
            #expect(try await store.jobs.begin(samples.tasks(1), job: Samples.job()).number > made.number)

            let refused = samples.tasks(1)
            let job = try await store.jobs.begin(refused, job: Samples.job())
            try await store.jobs.refuse(job: job.number, reason: "no", at: 2_000, answer: nil)
            #expect(try await prune(9_000) == 1)
            #expect(try await store.task(refused[0].id) == nil)
        }
    }
}
