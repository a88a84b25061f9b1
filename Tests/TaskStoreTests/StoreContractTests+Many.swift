import TaskStore
import TestKit
import Testing

/// Many tasks: concurrently, in pages and in batches.
extension StoreContractTests {
    @Test(arguments: stores)
    func `pages are dense and in order after concurrent acceptances`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let tasks = (0..<2_050).map { _ in samples.task() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in tasks {
                    group.addTask {
                        try await store.begin(task)
                        _ = try await store.accept(task.id, Samples.acceptance("kling-\(task.id)"))
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await store.tasks(tenant: "shop", page: 1, size: 2).map(\.number) == [2_050, 2_049])
            #expect(try await store.tasks(tenant: "shop", page: 1_000, size: 2).map(\.number) == [52, 51])
            #expect(try await store.tasks(tenant: "shop", page: 5, size: 500).map(\.number) == (1...50).reversed())
            #expect(try await store.tasks(tenant: "shop", page: 6, size: 500).isEmpty)
            let listed = try await store.tasks(tenant: "shop", page: 1, size: 2_050).map(\.id)
            #expect(Set(listed) == Set(tasks.map(\.id)))
        }
    }

    @Test(arguments: stores)
    func `one conflict among many writes fails one caller`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            try await store.begin(samples.task(externalTaskID: "taken"))
            let tasks = (0..<100).map { samples.task(externalTaskID: $0 == 50 ? "taken" : "order-\($0)") }
            let codes = await withTaskGroup(of: StoreError.Code?.self) { group in
                for task in tasks {
                    group.addTask { await failure { () throws(StoreError) in try await store.begin(task) } }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.compactMap(\.self) == [.externalTaskIDInUse])
            #expect(try await store.unfinished(after: nil, limit: 500).count == 100)
        }
    }

    @Test(arguments: stores)
    func `recovery and the operator read the tasks in batches`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let tasks = (0..<5).map { samples.task(tenant: $0 < 3 ? "shop" : "other") }
            for task in tasks { try await store.begin(task) }
            _ = try await store.accept(tasks[1].id, Samples.acceptance("kling-1"))
            _ = try await store.accept(tasks[2].id, Samples.acceptance("kling-2", .succeed))
            try await store.flag(tasks[1].id, [.stuck])
            let ids = tasks.map(\.id)
            #expect(try await store.unfinished(after: nil, limit: 2).map(\.id) == [ids[0], ids[1]])
            #expect(try await store.unfinished(after: ids[1], limit: 9).map(\.id) == [ids[3], ids[4]])
            #expect(
                try await store.allTasks(TaskFilter(), before: nil, limit: 3).map(\.id) == [ids[4], ids[3], ids[2]])
            #expect(
                try await store.allTasks(TaskFilter(tenant: "shop"), before: ids[2], limit: 9).map(\.id) == [
                    ids[1], ids[0],
                ])
            #expect(
                try await store.allTasks(TaskFilter(flags: [.stuck, .unknown]), before: nil, limit: 9).map(\.id) == [
                    ids[1]
                ])
            let unfinished = TaskFilter(tenant: "shop", isUnfinished: true)
            #expect(try await store.allTasks(unfinished, before: nil, limit: 9).map(\.id) == [ids[1], ids[0]])
            #expect(try await store.allTasks(named: ids[4].description).map(\.id) == [ids[4]])
            #expect(try await store.allTasks(named: "kling-2").map(\.id) == [ids[2]])
            #expect(try await store.allTasks(named: "nothing").isEmpty)
        }
    }
}
