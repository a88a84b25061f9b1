import TaskStore
import Testing

@testable import Gateway

/// The order in which a plan serves the lanes: a lane is a tenant's deliveries to one receiver.
struct DeliveryTurnTests {
    /// The deliveries of a lane: their tenant, the number of their receiver, and when they are due.
    struct Lane: Sendable {
        let tenant: String
        let receiver: Int
        let due: [Int64]

        init(_ tenant: String, _ receiver: Int, due: [Int64]) {
            (self.tenant, self.receiver, self.due) = (tenant, receiver, due)
        }

        /// Each is named like `a2@5`: the tenant, the receiver, and when it is due.
        var rows: [DeliveryRecord] {
            zip(taskIDs(due.count), due).map { task, time in
                DeliveryRecord(
                    id: "\(tenant)\(receiver)@\(time)", task: task, tenant: tenant,
                    url: "https://192.0.2.\(receiver)/", body: [], isLast: false, createdAt: 0, nextAttemptAt: time)
            }
        }
    }

    struct Row: CustomTestStringConvertible, Sendable {
        let testDescription: String
        var overall = 1
        var perReceiver = 1
        var perTenant = 10
        let lanes: [Lane]
        /// What begins at first, and then whenever the attempt that has run longest ends.
        let begun: [[String]]

        var limits: DeliveryPlan.Limits {
            DeliveryPlan.Limits(overall: overall, perReceiver: perReceiver, perTenant: perTenant)
        }
    }

    static let rows = [
        Row(
            testDescription: "receivers take turns, however long the first one's deliveries have been due",
            lanes: [Lane("a", 1, due: [0, 1, 2]), Lane("b", 2, due: [10, 11]), Lane("c", 3, due: [20])],
            begun: [["a1@0"], ["b2@10"], ["c3@20"], ["a1@1"], ["b2@11"], ["a1@2"], []]),
        Row(
            testDescription: "receivers take turns among the attempts of one tenant",
            perTenant: 1, lanes: [Lane("a", 1, due: [0, 1]), Lane("a", 2, due: [5, 6])],
            begun: [["a1@0"], ["a2@5"], ["a1@1"], ["a2@6"], []]),
        Row(
            testDescription: "at one receiver, the lane with the delivery that has been due longest is next",
            lanes: [Lane("a", 1, due: [0, 1, 8]), Lane("b", 1, due: [5, 9])],
            begun: [["a1@0"], ["a1@1"], ["b1@5"], ["a1@8"], ["b1@9"], []]),
        Row(
            testDescription: "attempts that one receiver's limit holds back leave room for other receivers",
            overall: 3, lanes: [Lane("a", 1, due: [0, 1, 2]), Lane("b", 2, due: [7, 8])],
            begun: [["a1@0", "b2@7"], ["a1@1"], ["b2@8"], ["a1@2"], [], []]),
        Row(
            testDescription: "attempts that one tenant's limit holds back leave room for other tenants",
            overall: 3, perTenant: 2,
            lanes: [Lane("a", 1, due: [0]), Lane("a", 2, due: [1]), Lane("a", 3, due: [2]), Lane("b", 4, due: [9])],
            begun: [["a1@0", "a2@1", "b4@9"], ["a3@2"], [], [], []]),
        Row(
            testDescription: "a turn is as many attempts as the receiver's limit allows",
            overall: 3, perReceiver: 2, lanes: [Lane("a", 1, due: [0, 1, 2, 3]), Lane("b", 2, due: [4, 5, 6])],
            begun: [["a1@0", "a1@1", "b2@4"], ["a1@2"], ["b2@5"], ["a1@3"], ["b2@6"], [], [], []]),
    ]

    @Test(arguments: rows) func `attempts begin in turn`(row: Row) {
        var plan = DeliveryPlan(row.limits)
        var begun = [plan.take(OutboxPage(rows: row.lanes.flatMap(\.rows)), held: [], now: 100)]
        var running = begun[0].map(\.id)
        while !running.isEmpty {
            _ = plan.ended(running.removeFirst(), wasAnswered: true, now: 100)
            let next = plan.begin(held: [], now: 100)
            begun.append(next)
            running += next.map(\.id)
        }
        #expect(begun.map { $0.map(\.id) } == row.begun)
    }

    @Test func `a receiver keeps its turn when the outbox is read again`() {
        var plan = DeliveryPlan(DeliveryPlan.Limits(overall: 1, perReceiver: 1))
        let (first, second) = (Lane("a", 1, due: [0, 1]), Lane("b", 2, due: [10]))
        let rows = first.rows + second.rows
        #expect(plan.take(OutboxPage(rows: rows), held: [], now: 100).map(\.id) == ["a1@0"])
        #expect(plan.ended("a1@0", wasAnswered: true, now: 100) == false)
        let rest = OutboxPage(rows: Array(rows.dropFirst()))
        #expect(plan.take(rest, held: [], now: 100).map(\.id) == ["b2@10"])
    }

    @Test func `the end of a lane's last waiting delivery asks for more of that lane`() {
        var plan = DeliveryPlan(DeliveryPlan.Limits(overall: 2, perReceiver: 1))
        let rows = Lane("a", 1, due: [0, 1]).rows + Lane("b", 2, due: [10]).rows
        _ = plan.take(OutboxPage(rows: rows), held: [], now: 100)
        #expect(plan.ended("b2@10", wasAnswered: true, now: 100) == true)
        #expect(plan.ended("a1@0", wasAnswered: true, now: 100) == false)
        #expect(plan.begin(held: [], now: 100).map(\.id) == ["a1@1"])
        #expect(plan.ended("a1@1", wasAnswered: true, now: 100) == true)
        #expect(plan.ended("unknown", wasAnswered: true, now: 100) == false)
    }
}
