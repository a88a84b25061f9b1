import TaskStore
import Testing

@testable import Gateway

struct RoomQueueTests {
    private func queue(_ waiters: [(tenant: String, model: String)]) -> RoomQueue {
        var queue = RoomQueue()
        for (tenant, model) in waiters {
            let ticket = queue.makeTicket()
            queue.join(
                RoomQueue.Waiter(
                    ticket: ticket, task: id(ticket), tenant: tenant, need: .init(model: model, excluding: [])))
        }
        return queue
    }

    /// Serves as many waiters as there is room for, and returns their tickets.
    private func serve(_ queue: inout RoomQueue, _ room: [String: Int]) -> [Int] {
        var room = room
        return queue.serve { waiter -> Bool? in
            guard let left = room[waiter.need.model], left > 0 else { return nil }
            room[waiter.need.model] = left - 1
            return true
        }.map(\.waiter.ticket)
    }

    @Test func `tenants take turns, and each tenant's waiters keep their order`() {
        var queue = queue([("a", "m"), ("a", "m"), ("a", "m"), ("b", "m"), ("c", "m"), ("b", "m")])
        #expect(serve(&queue, ["m": 10]) == [1, 4, 5, 2, 6, 3])
        #expect(queue.isEmpty && queue.count == 0)
    }

    @Test func `the rotation resumes where it stopped`() {
        var queue = queue([("a", "m"), ("a", "m"), ("b", "m"), ("b", "m")])
        #expect(serve(&queue, [:]) == [])
        #expect(serve(&queue, ["m": 1]) == [1])
        #expect(serve(&queue, [:]) == [])
        #expect(serve(&queue, ["m": 1]) == [3])
        #expect(serve(&queue, ["m": 2]) == [2, 4])
    }

    @Test func `a waiter without room lets others pass`() {
        var queue = queue([("a", "rare"), ("a", "m"), ("b", "rare"), ("c", "m")])
        #expect(serve(&queue, ["m": 1]) == [2])
        #expect(serve(&queue, ["rare": 1]) == [3])
        #expect(serve(&queue, ["rare": 1, "m": 1]) == [4, 1])
    }

    @Test func `a need without room is tried once, however many waiters have it`() {
        var queue = queue((0..<100).map { ("tenant\($0 % 10)", $0 % 2 == 0 ? "m" : "n") })
        var tries = 0
        let served = queue.serve { _ -> Bool? in
            tries += 1
            return nil
        }
        #expect(served.isEmpty && tries == 2)
        #expect(queue.count == 100)
    }

    @Test func `a waiter that has left is skipped`() {
        var queue = queue([("a", "m"), ("b", "m"), ("b", "m"), ("c", "m")])
        queue.leave(1, tenant: "a")
        queue.leave(3, tenant: "b")
        queue.leave(3, tenant: "b")
        queue.leave(99, tenant: "nobody")
        #expect(queue.count == 2)
        #expect(serve(&queue, ["m": 9]) == [2, 4])
        #expect(queue.isEmpty)
    }
}
