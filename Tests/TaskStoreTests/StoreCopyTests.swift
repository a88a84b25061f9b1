import TestKit
import Testing

@testable import TaskStore

/// Copies of stores between SQLite and PostgreSQL.
@Suite(.onEventLoop, .needsPostgres) struct StoreCopyTests {
    private let folder = StoreFolder()
    private var files: [String] { ["gateway.db", "back.db"].map { "\(folder.path)/\($0)" } }

    /// Fills a store with something of every kind, and closes it.
    private func fill(_ store: any TaskStore) async throws {
        var samples = Samples()
        try await store.keys.insert(Samples.key(1))
        try await store.keys.rotate("key_1", to: Samples.secrets(2), previousValidUntil: 9_000, at: 5)
        try await store.keys.keep(
            TenantRules(name: "shop", budgets: [Budget(.units, per: .month, limit: 90_000_000)]), at: 6)
        _ = try await store.keys.tenant(
            orInsert: TenantRecord(name: "shop", sealedWebhookSecret: [7, 7], createdAt: 1))
        for number in 0..<5 {
            let task = samples.task(externalTaskID: "order-\(number)", key: "claim-\(number)")
            try await store.begin(task)
            _ = try await store.accept(task.id, Samples.acceptance("k-\(number)"))
            if number < 3 { _ = try await store.observe(task.id, Samples.seen(.succeed, answer: "{}")) }
        }
        _ = try await store.jobs.begin(samples.tasks(3), job: Samples.job(fingerprint: [1]))
        await store.close()
    }

    /// What a store says of its contents.
    private func contents(of store: any TaskStore) async throws -> [String] {
        let tasks = try await store.allTasks(TaskFilter(), before: nil, limit: 100)
        let deliveries = try await store.outbox.deliveries(DeliveryFilter(), limit: 100)
        let usage = try await store.usage.report(
            UsageQuery(days: 0...10, by: [.tenant, .outcome]), skipping: 0, limit: 100)
        let contents = [
            "\(tasks.map { "\($0.id) \($0.state) \($0.number ?? 0) \($0.publicID ?? "")" })",
            "\(deliveries.map { "\($0.id) \($0.state) \($0.body)" })", "\(usage)", "\(try await store.keys.all())",
            "\(try await store.keys.tenantRules())",
            "\(try await store.idempotency(tenant: "shop", key: "claim-1")?.answer?.body ?? [])",
        ]
        await store.close()
        return contents
    }

    @Test func `a store is the same after a copy to PostgreSQL and back`() async throws {
        try await fill(SQLiteTaskStore.open(path: files[0]))
        let url = try await PostgresServer.shared.makeDatabase()
        let (path, back) = (files[0], files[1])
        try await blocking {
            try StoreCopy.run(from: .sqlite(path: path), to: .postgres(url: url))
            try StoreCopy.run(from: .postgres(url: url), to: .sqlite(path: back))
        }
        let original = try await contents(of: SQLiteTaskStore.open(path: path))
        #expect(try await contents(of: SQLiteTaskStore.open(path: back)) == original)
        let copy = try await blocking { try PostgresTaskStore.open(url: url) }
        #expect(try await contents(of: copy) == original)
    }

    @Test func `the first process that serves from a copy owns its tasks, and numbers go on after them`() async throws {
        try await fill(SQLiteTaskStore.open(path: files[0]))
        let url = try await PostgresServer.shared.makeDatabase()
        let path = files[0]
        let store = try await blocking {
            try StoreCopy.run(from: .sqlite(path: path), to: .postgres(url: url))
            return try PostgresTaskStore.open(url: url, servingAs: "one")
        }
        #expect(try await store.unfinished(after: nil, limit: 100).count == 5)
        var samples = Samples()
        let task = samples.task(at: 9_000)
        try await store.begin(task)
        #expect(try await store.accept(task.id, Samples.acceptance("k-9")).number == 6)
        await store.close()
    }

    @Test func `a copy that was interrupted goes on where it ended, and is no store before its end`() async throws {
        try await fill(SQLiteTaskStore.open(path: files[0]))
        let url = try await PostgresServer.shared.makeDatabase()
        let path = files[0]
        try await blocking {
            let (source, copy) = (try SQLiteCopyEnd(reading: path), try PostgresCopyEnd(creating: url))
            let tasks = try #require(CopiedTable.all.first { $0.name == "tasks" })
            let rows = try source.rows(of: tasks, after: nil, limit: 2)
            let plain = rows.filter { $0[20] == .integer(nil) }
            try copy.insert(plain, into: tasks)
            source.close()
            copy.close()
        }
        #expect(PostgresTaskStore.identity(ofStoreAt: url) == nil)
        try await blocking { try StoreCopy.run(from: .sqlite(path: path), to: .postgres(url: url)) }
        let original = try await contents(of: SQLiteTaskStore.open(path: path))
        let copy = try await blocking { try PostgresTaskStore.open(url: url) }
        #expect(try await contents(of: copy) == original)
    }

    @Test func `a store that is served from, or that exists, is not copied from, or to`() async throws {
        let path = files[0]
        let lock = try ServeLock(store: path)
        let store = try SQLiteTaskStore.open(path: path, serving: lock)
        let url = try await PostgresServer.shared.makeDatabase()
        let serving = try await blocking { try PostgresTaskStore.open(url: url, servingAs: "one") }
        for (from, to, code) in [
            (StoreCopy.Place.sqlite(path: path), StoreCopy.Place.postgres(url: url), StoreError.Code.alreadyServed),
            (.postgres(url: url), .sqlite(path: files[1]), .alreadyServed),
            (.sqlite(path: "\(folder.path)/none.db"), .postgres(url: url), .notFound),
        ] {
            let error = try await blocking { () throws -> StoreError in
                try #require(throws: StoreError.self) { try StoreCopy.run(from: from, to: to) }
            }
            #expect(error.code == code, "\(error)")
        }
        await store.close()
        await serving.close()
        withExtendedLifetime(lock) {}
    }
}
