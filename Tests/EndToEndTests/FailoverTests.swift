import Foundation
import TestKit
import Testing

/// A gateway whose store's URL names a PostgreSQL server and its standby, which is promoted when the server has crashed.
@Suite(.serialized, .aFewAtATime, .needsPostgres) struct FailoverTests {
    private let primary: PostgresServer
    private let standby: PostgresServer
    private let store: [String: String]

    init() async throws {
        primary = try await PostgresServer(settings: ["synchronous_commit": "remote_apply"])
        _ = try await primary.makeDatabase("shop")
        standby = try await primary.makeStandby(isSynchronous: true)
        store = ["KLING_GATEWAY_STORE": PostgresServer.url(ofDatabase: "shop", on: [primary, standby])]
    }

    private func isReady(_ gateway: GatewayProcess) async throws -> Bool {
        try await gateway.ask("GET", "/readyz", key: nil, admin: true).status == 200
    }

    @Test func `a gateway goes on at the standby, and creates are refused and make nothing until then`() async throws {
        try await Fixture.run(environment: store) { fixture in
            let before = try await fixture.createdTask()
            try await primary.kill()
            try await eventually("it is not ready") { try await !isReady(fixture.gateway) }
            let refused = try await fixture.create()
            #expect(refused.status == 503 && refused["Retry-After"] != nil, "\(refused.text)")
            try await standby.promote()
            try await eventually("it is ready again") { try await isReady(fixture.gateway) }
            let after = try await fixture.createdTask()
            let list = try await fixture.gateway.ask("GET", Fixture.path + "?pageSize=500")
            #expect(Set(list.tasks.compactMap { $0["task_id"] as? String }) == [before, after])
            #expect(fixture.creates == 2)
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func `a create that was refused before the failover leaves nothing, even if its commit has reached the standby`()
        async throws
    {
        try await Fixture.run(environment: store) { fixture in
            let order = #""external_task_id":"order-1""#
            try await standby.stopReplay()
            async let answer = fixture.create(order)
            try await primary.waitForCommits()
            try await primary.kill()
            let refused = try await answer
            #expect(refused.status == 503 && refused["Retry-After"] != nil, "\(refused.text)")
            try await standby.promote()
            try await eventually("the order can be made") { try await fixture.create(order).status == 200 }
            #expect(fixture.creates == 1)
            let rows = "SELECT count(*) FROM kling_gateway.tasks WHERE external_task_id = 'order-1'"
            #expect(try await standby.query(rows, in: standby.url(ofDatabase: "shop")) == "2")
        }
    }
}
