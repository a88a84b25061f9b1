import TaskStore
import Testing

@testable import Gateway

struct DeliveryPlanTests {
    /// Deliveries, each of a different task.
    private func rows(_ count: Int, tenant: String = "shop", url: String, from: Int64 = 0) -> [DeliveryRecord] {
        taskIDs(count).enumerated().map { index, task in
            DeliveryRecord(
                id: "\(tenant)\(url)\(index)", task: task, tenant: tenant, url: url, body: [], isLast: false,
                createdAt: 0, nextAttemptAt: from + Int64(index))
        }
    }

    @Test func `DNS lookups are limited per host, per tenant and overall`() {
        var plan = DeliveryPlan()
        #expect(plan.take(OutboxPage(rows: rows(20, url: "https://slow.example/")), held: [], now: 0).count == 1)
        var one = DeliveryPlan()
        let own = (0..<20).flatMap { rows(10, url: "https://host\($0).example/") }
        #expect(one.take(OutboxPage(rows: own), held: [], now: 0).count == 4)
        var many = DeliveryPlan()
        let all = (0..<20).flatMap { host in
            (0..<5).flatMap { rows(2, tenant: "t\(host)", url: "https://host\(host)-\($0).example/") }
        }
        #expect(many.take(OutboxPage(rows: all), held: [], now: 0).count == 32)
    }

    @Test func `a host that answered needs no DNS lookup for a while`() throws {
        var plan = DeliveryPlan()
        let first = plan.take(OutboxPage(rows: rows(40, url: "https://shop.example/")), held: [], now: 0)
        _ = plan.ended(try #require(first.first).id, wasAnswered: true, now: 1000)
        let more = plan.begin(held: [], now: 1000)
        #expect(more.count == 10)
        for record in more { _ = plan.ended(record.id, wasAnswered: false, now: 60_000) }
        #expect(plan.begin(held: [], now: 60_000).count == 1)
    }

    @Test func `hosts that never answer leave a turn to one that does`() throws {
        var plan = DeliveryPlan()
        let dead = (0..<4).flatMap { rows(100, url: "https://dead\($0).example/") }
        var running = plan.take(OutboxPage(rows: dead), held: [], now: 1000)
        #expect(running.count == 4)
        let all = dead + rows(1, url: "https://alive.example/", from: 999)
        #expect(plan.take(OutboxPage(rows: all), held: [], now: 1000).isEmpty)
        _ = plan.ended(running.removeFirst().id, wasAnswered: false, now: 16_000)
        #expect(plan.begin(held: [], now: 16_000).map(\.url) == ["https://alive.example/"])
    }

    @Test(arguments: ["http://shop.example/", "https://shop.example:8443/", "https://other.example/"])
    func `a receiver is identified by scheme, host and port`(url: String) {
        #expect(
            DeliveryPlan.Receiver("https://SHOP.example:443/a") == DeliveryPlan.Receiver("https://shop.example/b?c"))
        #expect(DeliveryPlan.Receiver("https://shop.example/") != DeliveryPlan.Receiver(url))
    }

    @Test func `attempts are limited per tenant and overall`() {
        var plan = DeliveryPlan()
        let greedy = (1...20).flatMap { rows(10, tenant: "greedy", url: "https://192.0.2.\($0)/") }
        #expect(plan.take(OutboxPage(rows: greedy), held: [], now: 0).count == 32)
        var full = DeliveryPlan()
        let all = (1...20).flatMap { rows(10, tenant: "t\($0)", url: "https://192.0.2.\($0)/") }
        #expect(full.take(OutboxPage(rows: all), held: [], now: 0).count == 128)
        #expect(!full.wantsMore)
    }

    @Test func `tenants that share a receiver share its ten attempts, the longest due first`() {
        var plan = DeliveryPlan()
        let url = "https://192.0.2.1/"
        let due = rows(50, tenant: "a", url: url) + rows(5, tenant: "b", url: url, from: 15)
        var begun = plan.take(OutboxPage(rows: due), held: [], now: 100)
        var tenants: [[String: Int]] = []
        for _ in 0..<4 {
            tenants.append(Dictionary(begun.map { ($0.tenant, 1) }, uniquingKeysWith: +))
            for record in begun { _ = plan.ended(record.id, wasAnswered: true, now: 100) }
            begun = plan.begin(held: [], now: 100)
        }
        #expect(tenants == [["a": 10], ["a": 10], ["a": 5, "b": 5], ["a": 7]])
    }

    @Test func `the next page is read while attempts are free, and the position is kept when they are not`() {
        let position = OutboxPosition(tenant: "t5")
        var plan = DeliveryPlan()
        let dead = OutboxPage(rows: rows(40, url: "https://192.0.2.1/"), next: position)
        #expect(plan.take(dead, held: [], now: 0).count == 10)
        #expect(plan.wantsMore && plan.position == position)
        _ = plan.take(OutboxPage(), held: [], now: 0)
        #expect(!plan.wantsMore && plan.position == OutboxPosition())
        let many = (1...20).flatMap { rows(10, tenant: "t\($0)", url: "https://192.0.2.\($0)/") }
        #expect(plan.take(OutboxPage(rows: many, next: position), held: [], now: 0).count == 118)
        #expect(!plan.wantsMore && plan.position == position)
    }

    @Test func `enough of each lane is read to get past held tasks`() {
        #expect(DeliveryPlan().bounds(held: 0).each == 32)
        #expect(DeliveryPlan().bounds(held: 100).each == 132)
        #expect(DeliveryPlan().bounds(held: .max).each == 8224)
    }

    @Test func `a task has only one attempt in flight`() {
        var plan = DeliveryPlan()
        let due = rows(1, url: "https://192.0.2.1/")
        #expect(plan.take(OutboxPage(rows: due), held: [], now: 0).count == 1)
        #expect(plan.take(OutboxPage(rows: due), held: [], now: 0).isEmpty)
        #expect(plan.runningCount == 1)
    }

    @Test func `a waiting delivery is skipped once its task is held`() throws {
        var plan = DeliveryPlan()
        let due = rows(11, url: "https://192.0.2.1/")
        let begun = plan.take(OutboxPage(rows: due), held: [], now: 0)
        _ = plan.ended(begun[0].id, wasAnswered: true, now: 0)
        #expect(plan.begin(held: [due[10].task], now: 0).isEmpty)
    }
}
