import Base
import Hashing
import TaskStore
import TestKit
import Testing

/// Several processes that serve from one PostgreSQL database. Here, each is a store of its own.
@Suite(.onEventLoop, .needsPostgres) struct PostgresReplicaTests {
    private func database() async throws -> String { try await PostgresServer.shared.makeDatabase() }

    private func serve(_ url: String, as name: String = "one") async throws -> any TaskStore {
        try await blocking {
            try PostgresTaskStore.open(url: url, servingAs: name, deliveries: Samples.deliveries)
        }
    }

    @Test func `each process sees its own unfinished tasks, and every task by its id`() async throws {
        let url = try await database()
        let (one, two) = (try await serve(url), try await serve(url, as: "two"))
        var samples = Samples()
        let (first, second) = (samples.task(), samples.task())
        try await one.begin(first)
        try await two.begin(second)
        #expect(try await one.unfinished(after: nil, limit: 10).map(\.id) == [first.id])
        #expect(try await two.unfinished(after: nil, limit: 10).map(\.id) == [second.id])
        #expect(try await two.task(first.id)?.isForeign == true)
        #expect(try await one.task(first.id)?.isForeign == false)
        let replicas = try await #require(one.replicas).all()
        #expect(replicas.map(\.name) == ["one", "two"] && replicas.map(\.tasks) == [1, 1])
        await one.close()
        await two.close()
    }

    @Test(.timeLimit(.minutes(1)))
    func `the tasks and callbacks of a process that stops belong to another at once`() async throws {
        let url = try await database()
        let (one, two) = (try await serve(url), try await serve(url, as: "two"))
        let (events, report) = AsyncStream.makeStream(of: ReplicaEvent.self)
        try #require(two.replicas).observe { report.yield($0) }
        var samples = Samples()
        let task = samples.task()
        try await one.begin(task)
        _ = try await one.accept(task.id, Samples.acceptance("k-1"))
        #expect(try await two.outbox.nextDelivery() == nil)
        let number = try #require(one.replicas).number
        await one.close()
        #expect(await events.first { _ in true } == .tookOver([task.id], from: number))
        #expect(try await two.unfinished(after: nil, limit: 10).map(\.id) == [task.id])
        #expect(try await two.outbox.nextDelivery() != nil)
        await two.close()
    }

    @Test(.timeLimit(.minutes(1)))
    func `a process that starts takes over what the last one has left before it serves`() async throws {
        let url = try await database()
        var samples = Samples()
        let task = samples.task()
        let one = try await serve(url)
        try await one.begin(task)
        await one.close()
        let two = try await serve(url, as: "two")
        #expect(try await two.unfinished(after: nil, limit: 10).map(\.id) == [task.id])
        #expect(try #require(two.replicas).predecessors.count == 1)
        await two.close()
    }

    @Test(.timeLimit(.minutes(1)))
    func `a process that was replaced can write nothing, and is told`() async throws {
        let url = try await database()
        let store = try await serve(url)
        let (events, report) = AsyncStream.makeStream(of: ReplicaEvent.self)
        try #require(store.replicas).observe { report.yield($0) }
        _ = try await PostgresServer.shared.query("DELETE FROM kling_gateway.replicas", in: url)
        var samples = Samples()
        let task = samples.task()
        #expect(await failure { () throws(StoreError) in try await store.begin(task) } == .replaced)
        #expect(await events.first { _ in true } == .wasReplaced)
        await store.close()
    }

    @Test func `a task that another process has changed is reported to its owner`() async throws {
        let url = try await database()
        let (one, two) = (try await serve(url), try await serve(url, as: "two"))
        let (events, report) = AsyncStream.makeStream(of: ReplicaEvent.self)
        try #require(one.replicas).observe { report.yield($0) }
        var samples = Samples()
        let task = samples.task()
        try await one.begin(task)
        _ = try await one.accept(task.id, Samples.acceptance("k-1"))
        _ = try await two.observe(task.id, Samples.seen(.succeed))
        #expect(await events.first { _ in true } == .taskChanged(task.id))
        try await two.keys.insert(Samples.key(1))
        #expect(await events.first { _ in true } == .keysChanged)
        await one.close()
        await two.close()
    }

    @Test func `a create that another process has made since it was looked for is refused`() async throws {
        let url = try await database()
        let (one, two) = (try await serve(url), try await serve(url, as: "two"))
        var samples = Samples()
        func create(seenThrough row: Int64) -> NewTask {
            var task = samples.task()
            task.content = ContentDigest(high: 1, low: 2)
            task.shared.rivals = RivalCreates(since: 0, seenThrough: row)
            return task
        }
        func look() async throws -> [ForeignCreate] {
            try await two.resends.creates(
                elsewhere: samples.task().tenant, content: ContentDigest(high: 1, low: 2), since: 0, suspects: [])
        }
        let first = create(seenThrough: 0)
        #expect(try await look() == [])
        try await one.begin(first)
        let others = [create(seenThrough: 0), samples.task(), create(seenThrough: 0)]
        let outcomes = await withTaskGroup(of: StoreError.Code?.self) { group in
            for task in others {
                group.addTask { await failure { () throws(StoreError) in try await two.begin(task) } }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.count { $0 == .sentElsewhere } == 2 && outcomes.count { $0 == nil } == 1)
        let found = try await look()
        #expect(found.map(\.task) == [first.id] && found.map(\.state) == [.answering])
        try await two.begin(create(seenThrough: found[0].row))
        // Its own creates are no rivals.
        try await one.begin(create(seenThrough: found[0].row + 10))
        await one.close()
        await two.close()
    }

    @Test func `the creates of other processes are told apart by whether their answers were read`() async throws {
        let url = try await database()
        let (one, two) = (try await serve(url), try await serve(url, as: "two"))
        var samples = Samples()
        let content = ContentDigest(high: 3, low: 4)
        let tasks = (0..<4).map { _ in
            var task = samples.task()
            task.content = content
            return task
        }
        for task in tasks.prefix(3) { try await one.begin(task) }
        let number = try #require(one.replicas).number
        try await one.resends.saveUnread(
            { UnreadTasks(all: [tasks[1].id, tasks[2].id], open: [tasks[2].id]) }, server: "\(number)", at: 1_000)
        try await one.begin(tasks[3])
        func states(suspects: Set<Int64> = []) async throws -> [ForeignCreate.State] {
            try await two.resends.creates(
                elsewhere: tasks[0].tenant, content: content, since: 0, suspects: suspects
            ).map(\.state)
        }
        #expect(try await states() == [.answering, .open, .answering, .read])
        #expect(try await states(suspects: [number]) == [.open, .open, .open, .read])
        await one.close()
        await two.close()
    }

    @Test(.timeLimit(.minutes(1)))
    func `a process knows the newest task of all at an earlier time`() async throws {
        let url = try await database()
        let (one, two) = (try await serve(url), try await serve(url, as: "two"))
        let replicas = try #require(two.replicas)
        var samples = Samples()
        try await one.begin(samples.task())
        while replicas.newestTask(at: .now) != 1 { await Task.yield() }
        let before = MonotonicTime.now
        try await one.begin(samples.task())
        while replicas.newestTask(at: .now) != 2 { await Task.yield() }
        #expect(replicas.newestTask(at: before) == 1)
        await one.close()
        await two.close()
    }

    @Test func `a step follows what another process has done to the task since its first one`() async throws {
        let url = try await database()
        let (one, two) = (try await serve(url), try await serve(url, as: "two"))
        var samples = Samples()
        let (moved, refused, untouched) = (samples.task(), samples.task(), samples.task())
        for task in [moved, refused, untouched] { try await one.begin(task) }
        try await two.assign(moved.id, to: Assignment(account: "second"), at: 1_100)
        try await two.refuse(refused.id, reason: "cancelled", at: 1_100)
        #expect(try await one.accept(moved.id, Samples.acceptance("k-1")).account == "second")
        #expect(
            await failure { () throws(StoreError) in try await one.accept(refused.id, Samples.acceptance("k-2")) }
                == .stale)
        #expect(try await one.accept(untouched.id, Samples.acceptance("k-3")).number == 2)
        #expect(try await one.task(refused.id)?.state == .refused)
        await one.close()
        await two.close()
    }

    @Test func `a budget holds over all processes`() async throws {
        let url = try await database()
        let stores = [try await serve(url), try await serve(url, as: "two")]
        let budget = Budget(.tasks, per: .total, limit: 25)
        try await stores[0].keys.keep(TenantRules(name: "shop", budgets: [budget]), at: 1)
        let made = try await make(40, on: stores) { $0 }
        #expect(made == [nil: 25, .budgetSpent: 15])
        for store in stores { await store.close() }
    }

    @Test func `limits of running tasks hold over all processes`() async throws {
        let url = try await database()
        let stores = [try await serve(url), try await serve(url, as: "two")]
        for (limits, code) in [
            (SharedLimits(account: 7, since: 0), StoreError.Code.accountFull),
            (SharedLimits(tenant: 13, since: 0), .tenantFull), (SharedLimits(key: 17, since: 0), .keyFull),
        ] {
            let limit = try #require([limits.account, limits.tenant, limits.key].compactMap(\.self).first)
            let before = try await stores[0].allTasks(TaskFilter(), before: nil, limit: 100).count
            let made = try await make(30, on: stores) { task in
                var task = task
                task.shared.limits = limits
                return task
            }
            #expect(made == [nil: limit - before, code: 30 - limit + before])
        }
        for store in stores { await store.close() }
    }

    @Test func `a rate holds over all processes`() async throws {
        let url = try await database()
        let stores = [try await serve(url), try await serve(url, as: "two")]
        let admitted = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<40 {
                let rates = try #require(stores[number % 2].rates)
                group.addTask {
                    try await rates.change(["key a"]) { states, now in
                        let left = states[0]?.parts ?? 10
                        return (left > 0 ? [RateState(parts: left - 1, filledAt: now)] : [nil], left > 0)
                    }
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(admitted == 10)
        for store in stores { await store.close() }
    }

    @Test func `numbers of a tenant's tasks have no gaps, whichever process gives them`() async throws {
        let url = try await database()
        let stores = [try await serve(url), try await serve(url, as: "two")]
        var samples = Samples()
        let tasks = (0..<60).map { _ in samples.task(callbackURL: nil) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, task) in tasks.enumerated() {
                group.addTask {
                    try await stores[index % 2].begin(task)
                    _ = try await stores[index % 2].accept(task.id, Samples.acceptance("k-\(index)"))
                }
            }
            try await group.waitForAll()
        }
        let numbers = try await stores[0].tasks(tenant: "shop", page: 1, size: 100).compactMap(\.number)
        #expect(numbers == Array((1...60).reversed()))
        for store in stores { await store.close() }
    }

    /// Makes tasks at several processes at once.
    /// - Returns: how many were made, under nil, and how many were refused, by the error.
    private func make(
        _ count: Int, on stores: [any TaskStore], _ change: (NewTask) -> NewTask
    ) async throws -> [StoreError.Code?: Int] {
        var samples = Samples()
        let tasks = (0..<count).map { _ in change(samples.task(callbackURL: nil)) }
        return await withTaskGroup(of: StoreError.Code?.self) { group in
            for (index, task) in tasks.enumerated() {
                let store = stores[index % stores.count]
                group.addTask { await failure { () throws(StoreError) in try await store.begin(task) } }
            }
            var outcomes: [StoreError.Code?: Int] = [:]
            for await code in group { outcomes[code, default: 0] += 1 }
            return outcomes
        }
    }
}
