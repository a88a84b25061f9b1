import Base
import KlingAPI
import Testing

@testable import Gateway
@testable import TaskStore

/// What counts as wrong.
struct AlertFiguresTests {
    private func conditions(_ change: (inout AlertFigures) -> Void) -> [AlertCondition] {
        var figures = AlertFigures()
        change(&figures)
        return figures.conditions
    }

    private func account(
        _ state: AccountFigures.State, by code: KlingCode? = nil, _ reason: String? = nil
    ) -> AccountFigures {
        AccountFigures(
            name: "main", state: state, disabledBy: code, reason: reason, refusedModels: [], running: 0, limit: nil,
            learnedLimit: nil, window: 1, weight: 1, dialect: .kolors)
    }

    private func number(_ condition: AlertCondition?, _ name: String) -> String? {
        condition?.details.compactMap { detail in
            if "\(detail.name)" == name, case .number(let number) = detail.value { number } else { nil }
        }.first
    }

    @Test func `nothing is wrong with an idle gateway`() { #expect(conditions { _ in } == []) }

    @Test(arguments: [
        (AccountFigures.State.healthy, nil, nil), (.saturated, nil, nil), (.cooling, nil, nil),
        (.disabled, 1002, AlertKind.accountDisabled), (.disabled, 1100, .accountDisabled),
        (.disabled, 1101, .accountOutOfUnits), (.disabled, 1102, .accountOutOfUnits),
        (.unreached, nil, .accountDisabled),
    ])
    func `an account's state and Kling's code say what is wrong with it`(
        state: AccountFigures.State, code: Int?, kind: AlertKind?
    ) {
        let reason = String(repeating: "why ", count: 1000)
        let found = conditions { $0.accounts = [account(state, by: code.map(KlingCode.init(rawValue:)), reason)] }
        #expect(found.map(\.kind) == (kind.map { [$0] } ?? []))
        guard let condition = found.first else { return }
        #expect(condition.subject == "main" && condition.summary.contains("account main") && condition.isFirm)
        #expect(condition.details.contains(.text("state", state.rawValue)))
        #expect(condition.details.contains(.text("reason", String(reason.prefix(500)))))
        #expect(number(condition, "code") == code.map(String.init))
    }

    @Test func `tasks that need an operator are counted by what is wrong`() {
        let found = conditions { ($0.tasks.stuck, $0.tasks.unknown) = (2, 3) }
        #expect(found.map(\.id) == ["tasks_stuck", "tasks_unknown"])
        #expect(found.map { number($0, "count") } == ["2", "3"])
    }

    @Test(
        arguments: [
            (1800.0, 449.0, nil), (1800, 450, false), (1800, 899, false), (1800, 900, true), (nil, 5000, nil),
        ] as [(Double?, Double, Bool?)])
    func `the queue is too slow from half of its longest wait on`(longest: Double?, oldest: Double, isFirm: Bool?) {
        let found = conditions { figures in
            (figures.tasks.queued, figures.tasks.oldestQueuedSeconds) = (4, oldest)
            figures.tasks.longestQueuedSeconds = longest
        }
        #expect(found.map(\.isFirm) == (isFirm.map { [$0] } ?? []))
        #expect(found.allSatisfy { $0.kind == .queueAge && number($0, "tasks") == "4" })
    }

    @Test(
        arguments: [
            (0, 0, 0, nil), (100, 0, 0, nil), (0, 4, 0, false), (0, 5, 0, true), (5, 5, 0, true), (6, 5, 0, false),
            (16, 5, 0, nil), (1000, 1, 1, true),
        ] as [(UInt64, UInt64, UInt64, Bool?)])
    func `callbacks fail if half of several attempts do, or one is given up`(
        delivered: UInt64, failed: UInt64, givenUp: UInt64, isFirm: Bool?
    ) {
        let found = conditions {
            $0.callbacks = AlertFigures.Callbacks(delivered: delivered, failed: failed, givenUp: givenUp)
        }
        #expect(found.map(\.isFirm) == (isFirm.map { [$0] } ?? []))
        #expect(found.allSatisfy { $0.kind == .callbacksFailing && number($0, "failed") == "\(failed)" })
    }

    @Test(
        arguments: [
            (0, 0, nil), (1000, 0, nil), (10, 10, false), (20, 2, true), (20, 1, false), (100, 9, false),
            (100, 10, true), (100, 4, nil),
        ] as [(UInt64, UInt64, Bool?)])
    func `the share of errors counts from a tenth of twenty answers on`(all: UInt64, errors: UInt64, isFirm: Bool?) {
        let found = conditions { $0.answers = AlertFigures.Answers(all: all, errors: errors) }
        #expect(found.map(\.isFirm) == (isFirm.map { [$0] } ?? []))
        #expect(found.allSatisfy { $0.kind == .errorShare && number($0, "answers") == "\(all)" })
    }

    @Test(
        arguments: [
            (80, 100, 79, []), (80, 100, 80, [80]), (80, 100, 99, [80]), (80, 100, 100, [80, 100]), (nil, 100, 99, []),
            (nil, 100, 100, [100]), (100, 100, 100, [100]), (80, 0, 0, []),
        ] as [(Int?, Int64, Int64, [Int])])
    func `a budget counts at the share to warn from, and when it is spent`(
        warn: Int?, limit: Int64, used: Int64, thresholds: [Int]
    ) {
        let budget = Budget(.tasks, per: .month, limit: limit, warnAtPercent: warn)
        let use = BudgetUse(budget: budget, used: used, held: 0, days: 0..<31)
        let found = conditions {
            $0.budgets = [BudgetFigures(tenant: "shop", use: use, limit: limit, resetsAt: 2_678_400_000)]
        }
        #expect(found.map(\.id) == thresholds.map { "budget_threshold/shop/tasks/month/\($0)" })
        #expect(found.allSatisfy { $0.subject == "shop" && number($0, "resets_at") == "2678400000" })
    }

    @Test func `units are shown as decimal numbers, and a raised limit counts`() {
        let budget = Budget(.units, per: .total, limit: 1_000_000, warnAtPercent: 50)
        let use = BudgetUse(budget: budget, used: 1_500_000, held: 0, days: 0..<1)
        let found = conditions {
            $0.budgets = [BudgetFigures(tenant: "shop", use: use, limit: 2_500_000, resetsAt: nil)]
        }
        #expect(found.map { number($0, "used") } == ["1.5"] && number(found[0], "limit") == "2.5")
        #expect(found[0].summary == "The tenant shop has used 50 % of its budget units/total: 1.5 of 2.5.")
    }

    @Test func `counters are compared over their window`() {
        var window = CounterWindow(.seconds(300))
        #expect(window.growth([7, 1], at: moment(0)) == [0, 0])
        #expect(window.growth([9, 1], at: moment(100)) == [2, 0])
        #expect(window.growth([12, 4], at: moment(300)) == [5, 3])
        #expect(window.growth([12, 4], at: moment(350)) == [5, 3])
        #expect(window.growth([12, 4], at: moment(400)) == [3, 3])
        #expect(window.growth([12, 4], at: moment(600)) == [0, 0])
    }
}
