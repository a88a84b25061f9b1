import TaskStore
import Testing

@testable import Gateway

struct FairQueueTests {
    private static let bounds = QueueBounds(tasks: 60, bytes: 1_000, maxAge: 1_800_000)

    /// Makes entries with ascending ids.
    private struct Entries {
        private var ids = TaskIDGenerator()

        mutating func entry(
            _ tenant: String, model: String = "v1", bytes: Int = 1, at time: Int64 = 1_000
        ) -> QueuedTask {
            QueuedTask(task: ids.next(at: time), tenant: tenant, model: model, bytes: bytes, enqueuedAt: time)
        }

        mutating func entries(_ tenants: [String]) -> [QueuedTask] { tenants.map { entry($0) } }
    }

    private func queue(_ entries: [QueuedTask], _ bounds: QueueBounds = bounds) -> FairQueue {
        var queue = FairQueue(bounds)
        queue.restore(entries)
        return queue
    }

    private func drained(_ queue: inout FairQueue, where hasRoom: (QueueNeed) -> Bool = { _ in true }) -> [QueuedTask] {
        var order: [QueuedTask] = []
        while let entry = queue.next(where: hasRoom) {
            order.append(entry)
            queue.remove(entry.task)
        }
        return order
    }

    @Test func `of a hundred creates, only as many as the bound allows get room`() {
        var queue = FairQueue(Self.bounds)
        var reservations: [QueueReservation] = []
        for _ in 0..<100 {
            if let room = try? queue.admit(bytes: 1) { reservations.append(room) }
        }
        #expect(reservations.count == 60)
        #expect(throws: QueueRefusal.tasks) { try queue.admit(bytes: 1) }
        queue.cancel(reservations[0])
        #expect(throws: Never.self) { try queue.admit(bytes: 1) }
    }

    @Test func `bytes are bounded, and a job is admitted whole or not at all`() throws {
        var queue = FairQueue(Self.bounds)
        let half = try queue.admit(bytes: 500)
        #expect(throws: QueueRefusal.bytes) { try queue.admit(tasks: 4, bytes: 501) }
        #expect(queue.count == 1 && queue.bytes == 500)
        let job = try queue.admit(tasks: 4, bytes: 500)
        #expect(throws: QueueRefusal.tasks) { try queue.admit(tasks: 56, bytes: 0) }
        queue.cancel(half)
        queue.cancel(job)
        #expect(queue.count == 0 && queue.bytes == 0)
    }

    @Test func `a task that is handed out counts until it is removed`() throws {
        var entries = Entries()
        var queue = queue([entries.entry("a")], QueueBounds(tasks: 1, bytes: 10, maxAge: 1))
        let tried = try #require(queue.next { _ in true })
        #expect(throws: QueueRefusal.tasks) { try queue.admit(bytes: 1) }
        queue.remove(tried.task)
        queue.remove(tried.task)
        #expect(queue.count == 0)
        #expect(throws: Never.self) { try queue.admit(bytes: 1) }
    }

    @Test func `tenants take turns, and the oldest of each goes first`() {
        var entries = Entries()
        var queue = queue(entries.entries(["big", "big", "big", "big", "small", "other", "small"]))
        let order = drained(&queue)
        #expect(order.map(\.tenant) == ["big", "small", "other", "big", "small", "big", "big"])
        for tenant in ["big", "small"] {
            let tasks = order.filter { $0.tenant == tenant }.map(\.task)
            #expect(tasks == tasks.sorted())
        }
    }

    @Test func `a task pinned to an account without room does not delay others`() {
        var entries = Entries()
        var pinned = entries.entry("a")
        pinned.account = "main"
        let other = entries.entry("a")
        var queue = queue([pinned, other])
        #expect(drained(&queue) { $0.account == nil } == [other])
        #expect(drained(&queue) == [pinned])
    }

    @Test func `a model without room is skipped and does not delay others`() {
        var entries = Entries()
        var queue = queue([
            entries.entry("a", model: "v2"), entries.entry("a"), entries.entry("b", model: "v2"), entries.entry("c"),
        ])
        #expect(drained(&queue) { $0.model == "v1" }.map(\.tenant) == ["a", "c"])
        #expect(queue.waitingCount == 2)
        #expect(queue.next { _ in false } == nil)
        #expect(drained(&queue).map(\.tenant) == ["b", "a"])
    }

    @Test func `a task that was put back goes first again`() throws {
        var entries = Entries()
        var queue = queue(entries.entries(["a", "a", "a"]))
        let first = try #require(queue.next { _ in true })
        let second = try #require(queue.next { _ in true })
        queue.putBack(first.task)
        #expect(queue.next { _ in true } == first)
        queue.putBack(second.task)
        queue.putBack(first.task)
        #expect(drained(&queue).map(\.task).first == first.task)
    }

    @Test func `only tasks that are too old are handed out as expired`() {
        var entries = Entries()
        let old = [entries.entry("a", at: 1_000), entries.entry("b", model: "v2", at: 2_000)]
        var queue = queue(old + [entries.entry("a", at: 2_001)])
        let expired = queue.expired(now: 2_000 + Self.bounds.maxAge)
        #expect(expired == old)
        #expect(queue.expired(now: 2_000 + Self.bounds.maxAge).isEmpty)
        #expect(queue.count == 3)
        for entry in expired { queue.remove(entry.task) }
        #expect(queue.count == 1 && queue.oldest == 2_001)
    }

    @Test func `restored tasks are kept above the bounds, and nothing more is admitted`() {
        var entries = Entries()
        var queue = queue(entries.entries(["a", "a", "b"]), QueueBounds(tasks: 2, bytes: 10, maxAge: 1))
        #expect(queue.count == 3)
        #expect(throws: QueueRefusal.tasks) { try queue.admit(bytes: 1) }
        #expect(drained(&queue).count == 3)
    }

    @Test(arguments: 0..<20) func `the counts are right after random operations`(seed: UInt64) {
        var random = Spread(seed: seed)
        var entries = Entries()
        var queue = FairQueue(Self.bounds)
        var reserved: [(QueueReservation, QueuedTask)] = []
        var (waiting, tried): ([TaskID: QueuedTask], [TaskID: QueuedTask]) = ([:], [:])
        for step in 0..<2_000 {
            switch Int.random(in: 0..<7, using: &random) {
            case 0, 1:
                let (tenant, model) = ("t\(random.next() % 5)", "m\(random.next() % 3)")
                let entry = entries.entry(tenant, model: model, bytes: Int(random.next() % 40), at: Int64(step))
                if let room = try? queue.admit(bytes: entry.bytes) { reserved.append((room, entry)) }
            case 2:
                guard let (room, entry) = reserved.popLast() else { continue }
                queue.confirm(room, [entry])
                waiting[entry.task] = entry
            case 3:
                if let (room, _) = reserved.popLast() { queue.cancel(room) }
            case 4:
                let closed = "m\(random.next() % 3)"
                let next = queue.next { $0.model != closed }
                let candidates = waiting.values.filter { $0.model != closed }
                #expect((next == nil) == candidates.isEmpty)
                guard let next else { continue }
                let rivals = candidates.filter { $0.tenant == next.tenant }.map(\.task)
                #expect(rivals.min() == next.task)
                tried[next.task] = waiting.removeValue(forKey: next.task)
            case 5:
                guard let task = tried.keys.min() else { continue }
                queue.putBack(task)
                waiting[task] = tried.removeValue(forKey: task)
            default:
                guard let task = (Array(tried.keys) + waiting.keys).max() else { continue }
                queue.remove(task)
                (waiting[task], tried[task]) = (nil, nil)
            }
            let all = Array(waiting.values) + tried.values + reserved.map(\.1)
            #expect(queue.count == all.count && queue.bytes == all.reduce(0) { $0 + $1.bytes })
            #expect(queue.waitingCount == waiting.count)
            #expect(queue.count <= Self.bounds.tasks && queue.bytes <= Self.bounds.bytes)
        }
    }

    @Test func `a tenant waits for at most one task of each other tenant`() throws {
        var entries = Entries()
        var queue = queue((0..<50).flatMap { _ in entries.entries(["a", "b", "c"]) })
        var waited: [String: Int] = [:]
        for _ in 0..<120 {
            let entry = try #require(queue.next { _ in true })
            queue.remove(entry.task)
            for tenant in ["a", "b", "c"] { waited[tenant, default: 0] += 1 }
            #expect(waited[entry.tenant, default: 0] <= 3)
            waited[entry.tenant] = 0
        }
    }
}
