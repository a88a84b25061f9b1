import TaskStore
import TestKit
import Testing

/// What every store must do. Another implementation adds itself to ``stores``.
@Suite(.onEventLoop) struct StoreContractTests {
    /// A store, and what must live as long as it does.
    struct Subject: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let open:
            @Sendable (@escaping StepCallbacks.Deliveries, @escaping StepCallbacks.JobDeliveries) async throws ->
                (store: any TaskStore, keeper: any Sendable)
    }

    static let stores =
        [
            Subject(testDescription: "SQLite for a process that serves") { deliveries, jobDeliveries in
                let folder = StoreFolder()
                let lock = try ServeLock(store: folder.database)
                let store = try SQLiteTaskStore.open(
                    path: folder.database, serving: lock, deliveries: deliveries, jobDeliveries: jobDeliveries)
                return (store, (folder, lock))
            },
            Subject(testDescription: "SQLite for a command") { deliveries, jobDeliveries in
                let folder = StoreFolder()
                let store = try SQLiteTaskStore.open(
                    path: folder.database, deliveries: deliveries, jobDeliveries: jobDeliveries)
                return (store, folder)
            },
        ] + (TestStore.chosen == .postgres ? [postgreSQL] : [])

    private static let postgreSQL =
        Subject(testDescription: "PostgreSQL") { deliveries, jobDeliveries in
            let url = try await PostgresServer.shared.makeDatabase()
            let store = try await blocking {
                try PostgresTaskStore.open(url: url, deliveries: deliveries, jobDeliveries: jobDeliveries)
            }
            return (store, url)
        }

    func with(
        _ subject: Subject, deliveries: @escaping StepCallbacks.Deliveries = Samples.deliveries,
        _ body: (any TaskStore, inout Samples) async throws -> Void
    ) async throws {
        let (store, keeper) = try await subject.open(deliveries, Samples.jobDeliveries)
        var samples = Samples()
        try await body(store, &samples)
        await store.close()
        withExtendedLifetime(keeper) {}
    }

    @Test(arguments: stores)
    func `an intent is found by the gateway's id and the client's own, and is not listed`(_ subject: Subject)
        async throws
    {
        try await with(subject) { store, samples in
            let task = samples.task(externalTaskID: "order-1")
            try await store.begin(task)
            let record = try #require(try await store.task(task.id))
            #expect(record.state == .intent && record.tenant == "shop" && record.account == "main")
            #expect(record.keyID == "key_1" && record.idempotencyKey == nil && record.payload == 0)
            #expect(record.callbackURL == task.callbackURL && record.model == task.model && record.createdAt == 1_000)
            #expect(record.publicID == nil && record.number == nil && record.answer == nil)
            #expect(try await store.task(tenant: "shop", publicID: "order-1") == record)
            #expect(try await store.tasks(tenant: "shop", page: 1, size: 30).isEmpty)
            #expect(try await store.unfinished(after: nil, limit: 10) == [record])
        }
    }

    @Test(arguments: stores)
    func `an acceptance gives the task its ids, its number and its answer`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let task = samples.task(externalTaskID: "order-1")
            try await store.begin(task)
            let record = try await store.accept(task.id, Samples.acceptance("kling-7"))
            #expect(record.state == .submitted && record.statusWord == "submitted" && record.updatedAt == 2_000)
            #expect(record.publicID == "kling-7" && record.upstreamID == "kling-7" && record.number == 1)
            #expect(record.answer == Array(#"{"task_id":"kling-7"}"#.utf8))
            #expect(try await store.task(tenant: "shop", publicID: "kling-7") == record)
            #expect(try await store.task(tenant: "shop", publicID: "order-1") == record)
            #expect(try await store.tasks(tenant: "shop", page: 1, size: 30) == [record])
        }
    }

    @Test(arguments: stores)
    func `an acceptance may be repeated, but not under another id`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let task = samples.task()
            try await store.begin(task)
            let record = try await store.accept(task.id, Samples.acceptance("kling-7"))
            #expect(try await store.accept(task.id, Samples.acceptance("kling-7", at: 8_000)) == record)
            // Anything more that it says is an observation, and states only go forward.
            let later = try await store.accept(task.id, Samples.acceptance("kling-7", .processing, at: 9_000))
            #expect(later.state == .processing && later.updatedAt == 9_000)
            #expect(try await store.accept(task.id, Samples.acceptance("kling-7", at: 9_500)) == later)
            #expect(
                await failure { () throws(StoreError) in try await store.accept(task.id, Samples.acceptance("kling-8"))
                } == .stale)
            let nobody = samples.task().id
            #expect(
                await failure { () throws(StoreError) in try await store.accept(nobody, Samples.acceptance("kling-9")) }
                    == .notFound)
        }
    }

    @Test(arguments: stores)
    func `the first public id stays`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let task = samples.task()
            try await store.begin(task)
            let shown = try await store.show(task.id, at: 1_500)
            #expect(shown.state == .intent && shown.publicID == task.id.description && shown.number == 1)
            #expect(try await store.show(task.id, at: 1_600) == shown)
            #expect(try await store.tasks(tenant: "shop", page: 1, size: 30).map(\.id) == [task.id])
            let record = try await store.accept(task.id, Samples.acceptance("kling-7"))
            #expect(record.publicID == task.id.description && record.upstreamID == "kling-7" && record.number == 1)
            #expect(try await store.task(tenant: "shop", publicID: task.id.description) == record)
            #expect(try await store.task(tenant: "shop", publicID: "kling-7")?.id == task.id)
            #expect(try await store.allTasks(named: "kling-7") == [record])
        }
    }

    @Test(arguments: stores)
    func `an external_task_id is unique within its tenant and free again after a refusal`(_ subject: Subject)
        async throws
    {
        try await with(subject) { store, samples in
            let (first, second) = (samples.task(externalTaskID: "order-1"), samples.task(externalTaskID: "order-1"))
            try await store.begin(first)
            #expect(await failure { () throws(StoreError) in try await store.begin(second) } == .externalTaskIDInUse)
            #expect(await failure { () throws(StoreError) in try await store.begin(first) } != nil)
            let elsewhere = samples.task(tenant: "other", externalTaskID: "order-1")
            try await store.begin(elsewhere)

            try await store.refuse(first.id, reason: "1201", at: 2_000)
            #expect(try await store.task(tenant: "shop", publicID: "order-1") == nil)
            #expect(try await store.tasks(tenant: "shop", page: 1, size: 30).isEmpty)
            #expect(try await store.unfinished(after: nil, limit: 10).map(\.id) == [elsewhere.id])
            #expect(try await store.task(first.id)?.state == .refused)
            try await store.begin(second)
            #expect(try await store.task(tenant: "shop", publicID: "order-1")?.id == second.id)
        }
    }

    @Test(arguments: stores)
    func `only a task that no client was told of can be refused`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let (shown, accepted) = (samples.task(), samples.task())
            try await store.begin(shown)
            try await store.begin(accepted)
            _ = try await store.show(shown.id, at: 2_000)
            _ = try await store.accept(accepted.id, Samples.acceptance("kling-7"))
            for id in [shown.id, accepted.id] {
                #expect(
                    await failure { () throws(StoreError) in try await store.refuse(id, reason: "", at: 3_000) }
                        == .stale)
            }
        }
    }

    @Test(arguments: stores)
    func `a shown task that never reached Kling fails and frees its external_task_id`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let task = samples.task(externalTaskID: "order-1")
            try await store.begin(task)
            _ = try await store.show(task.id, at: 2_000)
            #expect(try await store.observe(task.id, Samples.seen(.processing)).state == .intent)
            let record = try await store.observe(task.id, Samples.seen(.failed))
            #expect(record.state == .failed && record.isReleased && record.finishedAt == 3_000)
            #expect(try await store.task(tenant: "shop", publicID: task.id.description) == record)
            #expect(try await store.task(tenant: "shop", publicID: "order-1")?.state == .failed)
            try await store.begin(samples.task(externalTaskID: "order-1"))
            #expect(
                await failure { () throws(StoreError) in try await store.accept(task.id, Samples.acceptance("kling-7"))
                } == .stale)
        }
    }

    @Test(arguments: stores)
    func `states only go forward, and unknown status words are stored without a step`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let task = samples.task()
            try await store.begin(task)
            _ = try await store.accept(task.id, Samples.acceptance("kling-7"))
            let worded = try await store.observe(task.id, Samples.seen(nil, word: "rendering", answer: "{}"))
            #expect(worded.state == .submitted && worded.statusWord == "rendering" && worded.answer == Array("{}".utf8))
            let processing = try await store.observe(task.id, Samples.seen(.processing, at: 4_000))
            #expect(processing.state == .processing && processing.answer == Array("{}".utf8))
            #expect(try await store.observe(task.id, Samples.seen(.submitted, at: 5_000)) == processing)
            #expect(try await store.observe(task.id, Samples.seen(.processing, at: 5_000)) == processing)
            try await store.flag(task.id, .stuck)
            let done = try await store.observe(task.id, Samples.seen(.succeed, answer: "done", at: 6_000))
            #expect(done.state == .succeed && done.finishedAt == 6_000 && done.flags.isEmpty)
            #expect(try await store.observe(task.id, Samples.seen(.failed, at: 7_000)) == done)
            #expect(try await store.observe(task.id, Samples.seen(nil, word: "odd", at: 7_000)) == done)
            #expect(try await store.task(task.id) == done)
            #expect(try await store.unfinished(after: nil, limit: 10).isEmpty)
        }
    }

    @Test(arguments: stores)
    func `a tenant sees only its own tasks`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            for (tenant, upstreamID) in [("shop", "kling-1"), ("other", "kling-2"), ("other", "kling-1")] {
                let task = samples.task(tenant: tenant, externalTaskID: "mine-\(upstreamID)")
                try await store.begin(task)
                _ = try await store.accept(task.id, Samples.acceptance(upstreamID))
            }
            #expect(try await store.task(tenant: "shop", publicID: "kling-2") == nil)
            #expect(try await store.task(tenant: "shop", publicID: "mine-kling-2") == nil)
            #expect(try await store.task(tenant: "shop", publicID: "kling-1")?.tenant == "shop")
            #expect(try await store.task(tenant: "other", publicID: "kling-1")?.tenant == "other")
            #expect(try await store.tasks(tenant: "shop", page: 1, size: 500).map(\.number) == [1])
            #expect(try await store.tasks(tenant: "other", page: 1, size: 500).map(\.number) == [2, 1])
            #expect(try await store.tasks(tenant: "nobody", page: 1, size: 500).isEmpty)
        }
    }

    @Test(arguments: stores)
    func `closing completes waiting writes and refuses new ones`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let tasks = (0..<200).map { _ in samples.task() }
            try await store.check()
            let outcomes = await withTaskGroup(of: StoreError.Code?.self) { group in
                for task in tasks {
                    group.addTask { await failure { () throws(StoreError) in try await store.begin(task) } }
                }
                group.addTask {
                    await store.close()
                    return nil
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count == 201)
            #expect(outcomes.allSatisfy { $0 == nil || $0 == .unavailable })
            #expect(await failure { () throws(StoreError) in try await store.check() } == .unavailable)
            let late = samples.task()
            #expect(await failure { () throws(StoreError) in try await store.begin(late) } == .unavailable)
        }
    }
}
