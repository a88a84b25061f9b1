import Hashing
import TaskStore
import Testing

/// Creates whose answers were not read before a crash.
extension StoreContractTests {
    @Test(arguments: stores)
    func `a crash leaves the creates that were named as unread or written since`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            #expect(try await store.resends.unread(server: "main") == nil)
            var tasks: [NewTask] = []
            // The last two are made by a clock that was set back, so their ids are lower.
            for time: Int64 in [5_000, 5_001, 5_002, 5_003, 10, 11] {
                var task = samples.task(at: time)
                task.content = ContentDigest(high: 1, low: UInt64(time))
                tasks.append(task)
            }
            var forgetful = samples.task(at: 6_000)
            forgetful.content = nil
            for task in tasks[0..<3] { try await store.begin(task) }
            // One of the creates written before was read, and one of the named ones is written later.
            let unread = [tasks[0].id, tasks[1].id, tasks[3].id]
            try await store.resends.saveUnread({ UnreadTasks(all: unread) }, server: "main", at: 7_000)
            for task in tasks[3...] + [forgetful] { try await store.begin(task) }
            let kept = try #require(try await store.resends.unread(server: "main"))
            #expect(kept.tasks == unread)
            let left = try await store.resends.creates(leftBy: kept, limit: 10)
            #expect(left.map(\.id) == [tasks[0], tasks[1], tasks[3], tasks[4], tasks[5]].map(\.id).sorted())
            #expect(left.allSatisfy { $0.content != nil })
            #expect(try await store.resends.creates(leftBy: nil, limit: 2).count == 2)
            #expect(try await store.resends.unread(server: "another") == nil)
        }
    }

    @Test(arguments: stores)
    func `a task keeps the identity of the account it was sent to`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let task = samples.task()
            try await store.begin(task)
            let sent = try await store.assign(task.id, to: Assignment(account: "main", identity: 42), at: 2_000)
            #expect(sent.assignment == Assignment(account: "main", identity: 42))
            #expect(try await store.task(task.id)?.assignment == sent.assignment)
            let state = AccountStateRecord(
                name: "main", hasLookup: true, hasUniqueIDs: false, identity: 42, updatedAt: 3_000)
            try await store.accounts.keep(state)
            #expect(try await store.accounts.states() == [state])
        }
    }
}
