import TaskStore
import Testing

@testable import Gateway

struct CourierPlanTests {
    /// Deliveries of tasks of their own.
    private func rows(_ count: Int, tenant: String = "shop", url: String, from: Int64 = 0) -> [DeliveryRecord] {
        taskIDs(count).enumerated().map { index, task in
            DeliveryRecord(
                id: "\(tenant)\(url)\(index)", task: task, tenant: tenant, url: url, body: [], isLast: false,
                createdAt: 0, nextAttemptAt: from + Int64(index))
        }
    }

    @Test func `hosts that must be looked up are few, for a tenant and in all`() {
        var plan = CourierPlan()
        #expect(plan.take(OutboxPage(rows: rows(20, url: "https://slow.example/")), held: [], now: 0).count == 1)
        var one = CourierPlan()
        let own = (0..<20).flatMap { rows(10, url: "https://host\($0).example/") }
        #expect(one.take(OutboxPage(rows: own), held: [], now: 0).count == 4)
        var many = CourierPlan()
        let all = (0..<20).flatMap { host in
            (0..<5).flatMap { rows(2, tenant: "t\(host)", url: "https://host\(host)-\($0).example/") }
        }
        #expect(many.take(OutboxPage(rows: all), held: [], now: 0).count == 32)
    }

    @Test func `a host that answered needs no look-up for a while`() throws {
        var plan = CourierPlan()
        let first = plan.take(OutboxPage(rows: rows(40, url: "https://shop.example/")), held: [], now: 0)
        _ = plan.ended(try #require(first.first).id, wasAnswered: true, now: 1000)
        let more = plan.begin(held: [], now: 1000)
        #expect(more.count == 10)
        for record in more { _ = plan.ended(record.id, wasAnswered: false, now: 60_000) }
        #expect(plan.begin(held: [], now: 60_000).count == 1)
    }

    @Test func `hosts that never answer leave a turn to the one that would`() throws {
        var plan = CourierPlan()
        let dead = (0..<4).flatMap { rows(100, url: "https://dead\($0).example/") }
        var running = plan.take(OutboxPage(rows: dead), held: [], now: 1000)
        #expect(running.count == 4)
        let all = dead + rows(1, url: "https://alive.example/", from: 999)
        #expect(plan.take(OutboxPage(rows: all), held: [], now: 1000).isEmpty)
        _ = plan.ended(running.removeFirst().id, wasAnswered: false, now: 16_000)
        #expect(plan.begin(held: [], now: 16_000).map(\.url) == ["https://alive.example/"])
    }

    @Test(arguments: ["http://shop.example/", "https://shop.example:8443/", "https://other.example/"])
    func `scheme, host and port make a receiver`(url: String) {
        #expect(CourierPlan.Receiver("https://SHOP.example:443/a") == CourierPlan.Receiver("https://shop.example/b?c"))
        #expect(CourierPlan.Receiver("https://shop.example/") != CourierPlan.Receiver(url))
    }

    @Test func `no tenant takes all that there is, and no more than that runs`() {
        var plan = CourierPlan()
        let greedy = (1...20).flatMap { rows(10, tenant: "greedy", url: "https://192.0.2.\($0)/") }
        #expect(plan.take(OutboxPage(rows: greedy), held: [], now: 0).count == 32)
        var full = CourierPlan()
        let all = (1...20).flatMap { rows(10, tenant: "t\($0)", url: "https://192.0.2.\($0)/") }
        #expect(full.take(OutboxPage(rows: all), held: [], now: 0).count == 128)
        #expect(!full.wantsMore)
    }

    @Test func `tenants that share a receiver take turns by what is longest due`() throws {
        var plan = CourierPlan()
        let url = "https://192.0.2.1/"
        let due = rows(50, tenant: "a", url: url) + rows(5, tenant: "b", url: url, from: 20)
        let begun = plan.take(OutboxPage(rows: due), held: [], now: 100)
        #expect(begun.count == 10)
        for record in begun { _ = plan.ended(record.id, wasAnswered: true, now: 100) }
        _ = plan.begin(held: [], now: 100)
        let third = plan.runningCount
        #expect(third == 10)
    }

    @Test func `it reads on while there is room for more, and from there when there is again`() {
        let position = OutboxPosition(tenant: "t5")
        var plan = CourierPlan()
        let dead = OutboxPage(rows: rows(40, url: "https://192.0.2.1/"), next: position)
        #expect(plan.take(dead, held: [], now: 0).count == 10)
        #expect(plan.wantsMore && plan.position == position)
        _ = plan.take(OutboxPage(), held: [], now: 0)
        #expect(!plan.wantsMore && plan.position == OutboxPosition())
        let many = (1...20).flatMap { rows(10, tenant: "t\($0)", url: "https://192.0.2.\($0)/") }
        #expect(plan.take(OutboxPage(rows: many, next: position), held: [], now: 0).count == 118)
        #expect(!plan.wantsMore && plan.position == position)
    }

    @Test func `of each lane enough is read to come past what is held`() {
        #expect(CourierPlan().bounds(held: 0).each == 32)
        #expect(CourierPlan().bounds(held: 100).each == 132)
        #expect(CourierPlan().bounds(held: .max).each == 8224)
    }

    @Test func `a task that is being told of something is told nothing else`() {
        var plan = CourierPlan()
        let due = rows(1, url: "https://192.0.2.1/")
        #expect(plan.take(OutboxPage(rows: due), held: [], now: 0).count == 1)
        #expect(plan.take(OutboxPage(rows: due), held: [], now: 0).isEmpty)
        #expect(plan.runningCount == 1)
    }

    @Test func `a task held while its delivery waits here is left out`() throws {
        var plan = CourierPlan()
        let due = rows(11, url: "https://192.0.2.1/")
        let begun = plan.take(OutboxPage(rows: due), held: [], now: 0)
        _ = plan.ended(begun[0].id, wasAnswered: true, now: 0)
        #expect(plan.begin(held: [due[10].task], now: 0).isEmpty)
    }
}
