import Base
import TaskStore
import TestKit
import Testing

@testable import Gateway

@Suite(.onEventLoop) struct TaskCacheTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    /// A record with an answer of `length` bytes.
    private func record(_ state: TaskState, answerLength length: Int) async throws -> TaskRecord {
        let folder = try TemporaryFolder()
        let store = try SQLiteTaskStore.open(path: folder.path("gateway.db"))
        var ids = TaskIDGenerator()
        let id = ids.next(at: 1)
        try await store.begin(
            NewTask(id: id, tenant: "shop", assignment: Assignment(account: "kling"), model: "m", createdAt: 1))
        let answer = [UInt8](repeating: 0x41, count: length)
        let record = try await store.accept(
            id, Acceptance(upstreamID: "815", publicID: "815", state: state, statusWord: "", answer: answer, at: 2)
        ) { _ in StoredAnswer(status: 200, body: answer) }
        await store.close()
        return record
    }

    private func key(_ id: String) -> TaskCache.Key { TaskCache.Key(tenant: "shop", id: id) }

    /// The ids that the cache has. Finding an entry renews it, so the newest is looked up first.
    private func kept(_ cache: TaskCache, _ ids: [String]) -> [String] {
        ids.reversed().filter { cache.entry(key($0)) != nil }.reversed()
    }

    @Test func `recently queried tasks are kept, and others are evicted`() async throws {
        let cache = TaskCache(capacity: 2, bytes: 1 << 20)
        let entry = TaskEntry(try await record(.succeed, answerLength: 100), now: start)
        for id in ["a", "b", "c"] { _ = cache.insert(entry, key(id)) }
        #expect(cache.entry(key("a")) != nil)
        for id in ["d", "e", "f", "g"] { _ = cache.insert(entry, key(id)) }
        #expect(cache.entry(key("b")) == nil)
        #expect(cache.entry(TaskCache.Key(tenant: "other", id: "g")) == nil)
    }

    @Test(arguments: [
        // A finished task costs twice its answer and a kilobyte.
        (TaskState.succeed, 1_000, 12_000, ["c", "d", "e", "f"]),
        (.submitted, 1_000, 12_000, ["a", "b", "c", "d", "e", "f"]),
        (.succeed, 1_000, 1_000_000, ["a", "b", "c", "d", "e", "f"]),
        // One entry per generation is kept, however much it costs.
        (.processing, 1_000_000, 12_000, ["e", "f"]),
        // A finished task with a long answer is not kept.
        (.succeed, 20_000, 1_000_000, []), (.failed, 20_000, 1_000_000, []),
        (.succeed, 16_000, 1_000_000, ["a", "b", "c", "d", "e", "f"]),
    ])
    func `entries are kept by their cost`(
        state: TaskState, answerLength: Int, bytes: Int, kept expected: [String]
    ) async throws {
        let cache = TaskCache(capacity: 100, bytes: bytes)
        let record = try await record(state, answerLength: answerLength)
        let ids = ["a", "b", "c", "d", "e", "f"]
        for id in ids { _ = cache.insert(TaskEntry(record, now: start), key(id)) }
        let most = 2 * max(bytes, TaskEntry(record, now: start).cost)
        #expect(cache.cost <= most)
        #expect(kept(cache, ids) == expected)
        #expect(cache.cost <= most)
    }

    @Test func `an entry that grows evicts others`() async throws {
        let cache = TaskCache(capacity: 100, bytes: 10_000)
        let (short, long) = (
            try await record(.submitted, answerLength: 10), try await record(.processing, answerLength: 50_000)
        )
        let ids = (0..<9).map { "t\($0)" }
        for id in ids { _ = cache.insert(TaskEntry(short, now: start), key(id)) }
        #expect(cache.cost < 10_000)
        cache.update(key("t8"), long, now: start)
        #expect(cache.cost > 50_000 && cache.entry(key("t8"))?.record.answer?.count == 50_000)
        for id in ids { cache.update(key(id), long, now: start) }
        #expect(cache.cost <= 2 * 52_000)
        #expect(cache.entry(key("t1")) == nil)
    }

    @Test func `a task that ends with a long answer is evicted, but its entry still has the answer`()
        async throws
    {
        let cache = TaskCache(capacity: 100, bytes: 1 << 20)
        let entry = cache.insert(TaskEntry(try await record(.submitted, answerLength: 10), now: start), key("a"))
        cache.update(key("a"), try await record(.succeed, answerLength: 50_000), now: start)
        #expect(cache.entry(key("a")) == nil && cache.cost == 0)
        #expect(entry.record.answer?.count == 50_000)
    }
}
