import TaskStore
import Testing

/// Budgets, and what tenants have used.
extension StoreContractTests {
    /// The time at which a task succeeds that was created at second 1.
    private static let aDay: Int64 = 86_400_000

    private func use(_ store: any TaskStore, on day: Int = 0) async throws -> [[Int64]] {
        try await store.usage.budgets(of: "shop", on: day).map { [$0.used, $0.held] }
    }

    private func keep(_ budgets: Budget..., in store: any TaskStore) async throws {
        try await store.keys.keep(TenantRules(name: "shop", budgets: budgets), at: 1)
    }

    @Test(arguments: stores)
    func `a budget of tasks admits exactly as many, and says what is left`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            try await keep(Budget(.tasks, per: .month, limit: 3), in: store)
            var tasks: [NewTask] = []
            for _ in 0..<3 {
                tasks.append(samples.task())
                try await store.begin(tasks[tasks.count - 1])
            }
            let refusal = await refusal(of: samples.task(), by: store)
            #expect(refusal?.tenant == "shop" && refusal?.limit == 3 && refusal?.needed == 1)
            #expect(refusal?.use.used == 3 && refusal?.use.held == 3 && refusal?.use.days == 0..<31)
            try await store.begin(samples.task(tenant: "other"))

            // What ends without a picture counts no longer.
            try await store.refuse(tasks[0].id, reason: "refused", at: 2_000, answer: nil)
            #expect(try await use(store) == [[2, 2]])
            _ = try await store.accept(tasks[1].id, Samples.acceptance("101"))
            _ = try await store.observe(tasks[1].id, Samples.seen(.failed))
            #expect(try await use(store) == [[1, 1]])
            _ = try await store.accept(tasks[2].id, Samples.acceptance("102"))
            _ = try await store.observe(tasks[2].id, Samples.seen(.succeed))
            _ = try await store.observe(tasks[2].id, Samples.seen(.succeed, word: "again"))
            #expect(try await use(store) == [[1, 0]])
        }
    }

    @Test(arguments: stores)
    func `units are held as expected and then corrected by what was deducted`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            try await keep(Budget(.units, per: .total, limit: 2_500_000), in: store)
            let tasks = [samples.task(), samples.task(), samples.task()]
            try await store.begin(tasks[0])
            try await store.begin(tasks[1])
            #expect(try await use(store) == [[2_000_000, 2_000_000]])
            let refusal = await refusal(of: tasks[2], by: store)
            #expect(refusal?.needed == 1_000_000)
            var acceptance = Samples.acceptance("101", .succeed)
            acceptance.charge = Charge(units: 500_000)
            _ = try await store.accept(tasks[0].id, acceptance)
            #expect(try await use(store) == [[1_500_000, 1_000_000]])
            try await store.begin(tasks[2])
            // Kling does not say what it has deducted: what was expected counts.
            _ = try await store.accept(tasks[1].id, Samples.acceptance("102", .succeed))
            #expect(try await use(store) == [[2_500_000, 1_000_000]])
            #expect(try await store.task(tasks[0].id)?.charge == Charge(units: 500_000))
        }
    }

    @Test(arguments: stores)
    func `each period counts its own days, and a raise ends`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            try await keep(
                Budget(.tasks, per: .day, limit: 1, raise: Budget.Raise(limit: 2, until: Self.aDay)),
                Budget(.tasks, per: .week, limit: 3), in: store)
            for _ in 0..<2 { try await store.begin(samples.task()) }
            let first = await refusal(of: samples.task(), by: store)
            #expect(first?.use.budget.period == .day)
            // 1970-01-01 was a Thursday: Sunday is day 3.
            try await store.begin(samples.task(at: 3 * Self.aDay))
            let second = await refusal(of: samples.task(at: 3 * Self.aDay), by: store)
            #expect(second?.limit == 1)
            let refused = await refusal(of: samples.task(at: 2 * Self.aDay), by: store)
            #expect(refused?.use.budget.period == .week && refused?.use.days == -3..<4)
            try await store.begin(samples.task(at: 4 * Self.aDay))
            #expect(try await use(store, on: 0) == [[2, 2], [3, 3]])
            #expect(try await use(store, on: 4) == [[1, 1], [1, 1]])
        }
    }

    @Test(arguments: stores)
    func `what is undone does not count, in a job or alone`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            try await keep(Budget(.tasks, per: .total, limit: 4), in: store)
            try await store.begin(samples.task(externalTaskID: "order-1", key: "k"))
            let clash = await failure { [task = samples.task(externalTaskID: "order-1")] () throws(StoreError) in
                try await store.begin(task)
            }
            #expect(clash == .externalTaskIDInUse)
            let used = await failure { [task = samples.task(key: "k")] () throws(StoreError) in
                try await store.begin(task)
            }
            #expect(used == .idempotencyKeyInUse)
            #expect(try await use(store) == [[1, 1]])
            let four = samples.tasks(4)
            let whole = await refusal { () throws(StoreError) in
                _ = try await store.jobs.begin(four, job: Samples.job())
            }
            #expect(whole?.use.used == 4)
            #expect(try await use(store) == [[1, 1]])
            _ = try await store.jobs.begin(samples.tasks(3), job: Samples.job())
            #expect(try await use(store) == [[4, 4]])
        }
    }

    @Test(arguments: stores)
    func `a report adds up what tasks used, by any dimensions`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            for (number, tenant) in ["shop", "shop", "atelier", "shop"].enumerated() {
                var task = samples.task(tenant: tenant, at: number == 3 ? Self.aDay : 1_000)
                task.bytes = 10
                try await store.begin(task)
                var acceptance = Samples.acceptance("10\(number)", number == 1 ? .submitted : .succeed, at: 9_000)
                if number == 2 { acceptance.charge = Charge(cash: 70_000, currency: "USD") }
                _ = try await store.accept(task.id, acceptance)
                if number == 1 { _ = try await store.observe(task.id, Samples.seen(.failed)) }
            }
            try await store.begin(samples.task())
            func report(_ dimensions: UsageDimension..., tenant: String? = nil) async throws -> [UsageRow] {
                try await store.usage.report(
                    UsageQuery(days: 0...9, by: dimensions, tenant: tenant), skipping: 0, limit: 100)
            }
            let all = try #require(try await report().first)
            #expect(all.made == 5 && all.succeeded == 3 && all.failed == 1 && all.running == 1 && all.bytes == 40)
            #expect(all.units == 3_000_000 && all.cash == ["USD": 70_000])
            #expect(abs((all.times.seconds(at: 0.5) ?? 0) - 8) < 0.4)
            let byDay = try await report(.tenant, .day)
            #expect(
                byDay.map(\.values) == [
                    ["atelier", "1970-01-01"], ["shop", "1970-01-01"], ["shop", "1970-01-02"],
                ])
            #expect(byDay.map(\.made) == [1, 3, 1])
            #expect(
                try await report(.outcome, tenant: "shop").map(\.values) == [["running"], ["succeeded"], ["failed"]])
            #expect(
                try await report(.key, .account, .model).map(\.values) == [
                    ["key_1", "main", "kolors-virtual-try-on-v1"]
                ])
            // A page of it, and usage that outlives its tasks.
            _ = try await store.prune(
                tasksFinishedBefore: .max, deliveriesFinishedBefore: 0, idempotencyKeysCreatedBefore: 0, limit: 100)
            let query = UsageQuery(days: 0...0, by: [.tenant])
            #expect(try await store.usage.report(query, skipping: 1, limit: 1).map(\.made) == [3])
        }
    }

    private func refusal(of task: NewTask, by store: any TaskStore) async -> BudgetRefusal? {
        await refusal { () throws(StoreError) in try await store.begin(task) }
    }

    /// The refusal of a budget that `body` throws.
    private func refusal(_ body: () async throws(StoreError) -> Void) async -> BudgetRefusal? {
        do throws(StoreError) {
            try await body()
            return nil
        } catch {
            return error.code == .budgetSpent ? error.budget : nil
        }
    }
}
