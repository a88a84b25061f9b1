import EventLoop
import KlingAPI
import TestKit
import Testing

@testable import Gateway
@testable import TaskStore

/// The upkeep of accounts and of the count of flagged tasks. ``RetentionTests`` has the rest.
@Suite(.onEventLoop, .timeLimit(.minutes(1))) struct MaintenanceTests {
    private typealias Fixture = TaskFixture<AnsweringKling>

    private func run(
        _ replies: [KlingReply] = [], _ body: @escaping @Sendable (Fixture, Maintenance) async throws -> Void
    ) async throws {
        try await Fixture.run(AnsweringKling(replies), [account("main"), account("second")]) { fixture in
            try await body(fixture, Maintenance(tasks: fixture.tasks, retention: Retention(), assets: nil))
        }
    }

    private static func disable(_ name: String, _ accounts: Accounts) {
        _ = accounts.reserve(id(1), model: "m", excluding: accounts.others(than: name))
        accounts.settled(id(1), on: name, .packUsedUp)
    }

    // MARK: Accounts

    @Test func `what was learned about accounts is saved once`() async throws {
        try await run { fixture, upkeep in
            Self.disable("main", fixture.tasks.accounts)
            await upkeep.keepAccounts()
            let saved = try await fixture.store.accounts.states()
            #expect(saved.map(\.name) == ["main"] && saved[0].disabledBy == 1102)
            #expect(fixture.tasks.accounts.takeChanged().isEmpty)
        }
    }

    @Test func `what could not be saved is saved the next time`() async throws {
        try await run { fixture, upkeep in
            Self.disable("main", fixture.tasks.accounts)
            Self.disable("second", fixture.tasks.accounts)
            await fixture.store.close()
            await upkeep.keepAccounts()
            #expect(Set(fixture.tasks.accounts.takeChanged().map(\.name)) == ["main", "second"])
        }
    }

    /// The answer to the free list call; whether one create may then test the account, and by which of Kling's codes
    /// it is disabled.
    @Test(arguments: [
        (200, #"{"code":0,"data":[]}"#, true, 1102), (404, "", true, 1102), (405, "<html>", true, 1102),
        (401, #"{"code":1002,"message":"wrong"}"#, false, 1002), (401, "", false, 1000),
        (429, #"{"code":1101}"#, false, 1101), (429, #"{"code":1302}"#, false, 1102), (503, "", false, 1102),
    ])
    func `a disabled account is tried again once it answers a list call`(
        status: Int, body: String, isOpen: Bool, code: Int
    ) async throws {
        try await run([KlingReply(status, body)]) { fixture, upkeep in
            let accounts = fixture.tasks.accounts
            Self.disable("main", accounts)
            await upkeep.probe(try #require(accounts.named("main")))
            let main = try #require(accounts.figures().first { $0.name == "main" })
            #expect(main.state == .disabled && main.disabledBy?.rawValue == code)
            let taken = accounts.reserve(id(2), model: "m", excluding: accounts.others(than: "main"))
            #expect((taken != nil) == isOpen)
            #expect(fixture.kling.calls.map(\.kind) == [.list])
        }
    }

    @Test func `an account whose list call is rejected is disabled, and the operator is told`() async throws {
        try await run([KlingReply(401, #"{"code":1002,"message":"wrong"}"#)]) { fixture, upkeep in
            await upkeep.probe(try #require(fixture.tasks.accounts.named("main")))
            try #require(fixture.events.count == 1)
            #expect(
                await fixture.events.next()
                    == "an account has changed its state: account=main state=disabled code=1002 reason=wrong")
        }
    }

    // MARK: Tasks

    @Test func `flagged tasks are counted by their flag`() async throws {
        try await run { fixture, upkeep in
            for (number, flags) in [(1, TaskFlags.stuck), (2, .unknown), (3, [])] {
                try await fixture.store.begin(
                    NewTask(
                        id: id(number), tenant: "shop", assignment: Assignment(account: "main"), model: "m",
                        createdAt: 1))
                try await fixture.store.flag(id(number), flags)
            }
            await upkeep.countFlagged()
            #expect(fixture.tasks.flagged.withLock { [$0.stuck, $0.unknown] } == [1, 1])
            try await fixture.store.flag(id(1), [])
            await upkeep.countFlagged()
            #expect(fixture.tasks.flagged.withLock { [$0.stuck, $0.unknown] } == [0, 1])
        }
    }

    // MARK: Budgets

    @Test func `budgets are read with their limit and end, and those of later rules too`() async throws {
        try await run { fixture, upkeep in
            let keys = fixture.store.keys
            let monthly = Budget(.tasks, per: .month, limit: 4, warnAtPercent: 50)
            try await keys.keep(TenantRules(name: "shop", budgets: [monthly]), at: 1)
            try await keys.keep(TenantRules(name: "without"), at: 1)
            await upkeep.readBudgets()
            let day = CivilDate.day(of: fixture.tasks.clock.believed)
            try await fixture.store.begin(
                NewTask(
                    id: id(1), tenant: "shop", assignment: Assignment(account: "main"), model: "m", day: day,
                    createdAt: 1))
            await upkeep.readBudgets()
            let figures = fixture.tasks.budgets.withLock { $0 }
            #expect(figures.map(\.tenant) == ["shop"] && figures[0].usedRatio == 0.25)
            let end = BudgetPeriod.month.days(around: day).upperBound
            #expect(figures[0].limit == 4 && figures[0].resetsAt == Int64(end) * 86_400_000)

            let raised = Budget(.tasks, per: .total, limit: 1, raise: Budget.Raise(limit: 2, until: .max))
            try await keys.keep(TenantRules(name: "shop", budgets: [monthly, raised]), at: 2)
            await upkeep.readBudgets()
            let both = fixture.tasks.budgets.withLock { $0 }
            #expect(both.map(\.usedRatio) == [0.5, 0.25] && both[0].limit == 2 && both[0].resetsAt == nil)
            try await keys.keep(TenantRules(name: "shop"), at: 3)
            await upkeep.readBudgets()
            #expect(fixture.tasks.budgets.withLock { $0.isEmpty })
        }
    }

    @Test func `budgets of many tenants are read in turns`() async throws {
        try await run { fixture, upkeep in
            for number in 100..<220 {
                let rules = TenantRules(name: "t\(number)", budgets: [Budget(.tasks, per: .day, limit: 1)])
                try await fixture.store.keys.keep(rules, at: 1)
            }
            var counts: [Int] = []
            for _ in 0..<3 {
                await upkeep.readBudgets()
                counts.append(fixture.tasks.budgets.withLock { $0.count })
            }
            #expect(counts == [100, 120, 120])
        }
    }
}
