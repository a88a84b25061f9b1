import Base
import Foundation
import TaskStore
import TestKit
import Testing

/// What keys and tenants may do and use, changed in the store while the gateway runs.
@Suite(.aFewAtATime) struct TenantLimitTests {
    /// Changes the store as a command would.
    private func change(
        _ gateway: GatewayProcess, _ body: (any TaskStore) async throws -> Void
    ) async throws {
        let store = try await gateway.folder.openStore()
        try await body(store)
        await store.close()
    }

    private func keep(_ rules: TenantRules, _ gateway: GatewayProcess) async throws {
        try await change(gateway) { try await $0.keys.keep(rules, at: WallClock.milliseconds) }
    }

    /// Sends creates at once.
    /// - Returns: the answers.
    private func creates(
        _ count: Int, _ gateway: GatewayProcess,
        key: @escaping @Sendable (Int) -> String = { _ in GatewayProcess.key }
    ) async throws -> [RawClient.Answer] {
        try await withThrowingTaskGroup(of: RawClient.Answer.self) { group in
            // Each is its own create: one whose answer was not read yet may come again.
            for number in 0..<count {
                let body = Fixture.body(#""external_task_id":"order-\#(number)""#)
                group.addTask { try await gateway.ask("POST", Fixture.path, key: key(number), body: body) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test func `a budget of tasks is exact under many creates at once and after a kill`() async throws {
        let folder = try TemporaryFolder()
        try await Fixture.run(duration: 60_000...60_000) { fixture in
            let first = try await GatewayProcess(kling: fixture.kling.url, folder: folder)
            let rules = TenantRules(
                name: "shop", timeZone: "Pacific/Auckland", budgets: [Budget(.tasks, per: .month, limit: 12)])
            try await keep(rules, first)
            try await eventually("the time zone is known") {
                try await first.ask("GET", "/v1/usage").json["time_zone"] as? String == rules.timeZone
            }
            let answers = try await creates(60, first)
            #expect(answers.count { $0.status == 200 } == 12 && fixture.creates == 12)
            let refused = try #require(answers.first { $0.status != 200 })
            #expect(refused.status == 429 && refused.code == 1102, "\(refused.text)")
            #expect(refused.error["code"] as? String == "budget_spent" && refused["x-should-retry"] == "false")
            let message = try #require(refused.error["message"] as? String)
            #expect(message.contains("has used 12 of its 12 tasks this month, 12 of them held by running tasks"))
            #expect(message.contains("0 are left") && message.contains("starts again at 20"))

            first.program.signal(SIGKILL)
            _ = try await first.program.end()
            let second = try await GatewayProcess(kling: fixture.kling.url, folder: folder)
            // With another content, because a create whose answer was not read may come again.
            let body = Fixture.body(#""external_task_id":"late""#)
            let late = try await second.ask("POST", Fixture.path, body: body)
            #expect(late.status == 429 && late.code == 1102, "\(late.text)")
            // Another tenant is not concerned.
            let other = try await second.ask("POST", Fixture.path, key: GatewayProcess.otherKey, body: Fixture.body())
            #expect(other.status == 200)
            let usage = try await second.ask("GET", "/v1/usage").json
            let budget = try #require((usage["budgets"] as? [[String: Any]])?.first)
            #expect(
                budget["used"] as? Int == 12 && budget["held"] as? Int == 12 && budget["left"] as? Int == 0, "\(usage)")
            #expect(usage["time_zone"] as? String == "Pacific/Auckland")
            #expect(try await second.stop() == 0)
        }
    }

    @Test func `a tenant's rate and running tasks hold for all of its keys together`() async throws {
        let second = "sk-a-second-key-of-the-shop"
        try await Fixture.run(file: "keys: [{ key: \(second), tenant: shop }]", duration: 60_000...60_000) { fixture in
            try await keep(
                TenantRules(name: "shop", access: AccessRules(requestsPerMinute: 30, concurrency: 4)), fixture.gateway)
            try await eventually("the rules are known") {
                try await fixture.gateway.ask("GET", Fixture.path)["x-ratelimit-limit-requests"] == "30"
            }
            let begin = MonotonicTime.now
            let answers = try await creates(60, fixture.gateway) { $0 % 2 == 0 ? GatewayProcess.key : second }
            let made = answers.count { $0.status == 200 }
            #expect(made == 4 && fixture.creates == 4)
            let rated = answers.filter { $0.code == 1302 }
            // The allowance refills by one every two seconds.
            let refilled = Int((MonotonicTime.now - begin).nanoseconds / 2_000_000_000) + 1
            #expect((60 - rated.count) <= 30 + refilled && !rated.isEmpty)
            #expect(
                (rated.first?.error["message"] as? String)?.hasPrefix("The tenant shop, with all of its keys,") == true)
            let busy = answers.first { $0.code == 1303 }
            #expect((busy?.error["message"] as? String)?.contains("has 4 tasks running") == true)
        }
    }

    @Test func `keys and tenants can be switched off, expire and be limited to models`() async throws {
        try await Fixture.run { fixture in
            func answer(_ rules: AccessRules, _ status: Int, _ code: Int?) async throws {
                try await keep(TenantRules(name: "shop", access: rules), fixture.gateway)
                let begin = MonotonicTime.now
                try await eventually("\(rules) is known") { try await fixture.create().status == status }
                #expect(MonotonicTime.now - begin < .seconds(5))
                #expect(try await fixture.create().code == code)
            }
            try await answer(AccessRules(isDisabled: true), 401, 1002)
            try await answer(AccessRules(), 200, 0)
            try await answer(AccessRules(expiresAt: WallClock.milliseconds), 401, 1004)
            try await answer(AccessRules(models: ["kolors-virtual-try-on-v1-5"]), 403, 1103)
            try await answer(AccessRules(addresses: ["198.51.100.0/24"]), 403, 1103)
            try await answer(AccessRules(addresses: ["127.0.0.0/8"]), 200, 0)
        }
    }

    @Test func `a limit of running tasks that is set later counts the tasks that run already`() async throws {
        try await Fixture.run(duration: 60_000...60_000) { fixture in
            for _ in 0..<30 { _ = try await fixture.createdTask() }
            let rules = AccessRules(requestsPerMinute: 10_000, concurrency: 30)
            try await keep(TenantRules(name: "shop", access: rules), fixture.gateway)
            try await eventually("the rules are known") {
                try await fixture.gateway.ask("GET", Fixture.path)["x-ratelimit-limit-requests"] == "10000"
            }
            try await eventually("the tasks are counted") { try await fixture.create().code == 1303 }
            // As many again would be let through if those that run did not count.
            #expect(fixture.creates < 60)
        }
    }
}
