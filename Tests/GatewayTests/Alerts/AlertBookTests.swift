import Base
import Testing

@testable import Gateway

/// When operators are told about a condition.
struct AlertBookTests {
    private func condition(
        _ kind: AlertKind = .tasksStuck, _ subject: String = "", part: String = "", isFirm: Bool = true,
        _ count: Int = 1
    ) -> AlertCondition {
        AlertCondition(
            kind: kind, subject: subject, part: part, isFirm: isFirm, summary: "it is wrong",
            details: [.number("count", count)])
    }

    /// What a book says about rounds of conditions: the steps, by the second at which they happen.
    private func steps(_ rounds: [(second: Int, [AlertCondition])]) -> [String] {
        var book = AlertBook()
        return rounds.flatMap { second, conditions in
            book.update(conditions, at: moment(Double(second))).map { "\(second) \($0.step) \($0.condition.id)" }
        }
    }

    /// The steps of one condition that holds in these seconds, looked at every five.
    private func steps(_ kind: AlertKind, until end: Int, holdingIn seconds: [Range<Int>]) -> [String] {
        steps(
            stride(from: 0, through: end, by: 5).map { second in
                (second, seconds.contains { $0.contains(second) } ? [condition(kind)] : [])
            })
    }

    @Test func `a condition is raised once, and cleared when it has been gone for a while`() {
        #expect(
            steps(.tasksStuck, until: 2000, holdingIn: [10..<500])
                == ["10 raised tasks_stuck", "800 cleared tasks_stuck"])
    }

    @Test(arguments: AlertKind.allCases)
    func `what comes and goes is told once`(kind: AlertKind) {
        let seconds = stride(from: 0, to: 3000, by: 60).map { $0..<$0 + 30 }
        let told = steps(kind, until: 8000, holdingIn: seconds)
        #expect(told.count == 2 && told[0].contains("raised") && told[1].contains("cleared"), "\(told)")
    }

    @Test func `a condition that must hold for some time is not raised before`() {
        #expect(steps(.queueAge, until: 100, holdingIn: [0..<10, 20..<30]) == [])
        #expect(steps(.queueAge, until: 50, holdingIn: [0..<60]) == ["10 raised queue_age"])
    }

    @Test func `a condition that lasts is told again every six hours`() {
        let day = 86_400
        let told = steps(.tasksUnknown, until: day, holdingIn: [0..<day + 5])
        #expect(
            told == ["0 raised tasks_unknown"]
                + [21_600, 43_200, 64_800, 86_400].map { "\($0) reminded tasks_unknown" })
    }

    @Test func `a condition between its two limits keeps an alert, but raises none`() {
        let (firm, soft) = (condition(.errorShare), condition(.errorShare, isFirm: false))
        #expect(steps([(0, [soft]), (5, [soft])]) == [])
        #expect(
            steps([(0, [firm]), (5, [soft]), (2000, [soft]), (2005, []), (2305, [])])
                == ["0 raised error_share", "2305 cleared error_share"])
        let (slow, slowing) = (condition(.queueAge), condition(.queueAge, isFirm: false))
        #expect(steps([(0, [slow]), (5, [slowing]), (10, [slow]), (15, [slow])]) == [])
    }

    @Test func `subjects and parts are told apart`() {
        let rounds: [(Int, [AlertCondition])] = [
            (0, [condition(.accountOutOfUnits, "a"), condition(.budgetThreshold, "shop", part: "tasks/day/80")]),
            (5, [condition(.accountOutOfUnits, "b"), condition(.budgetThreshold, "shop", part: "tasks/day/100")]),
            (65, []),
        ]
        #expect(
            steps(rounds) == [
                "0 raised account_out_of_units/a", "0 raised budget_threshold/shop/tasks/day/80",
                "5 raised account_out_of_units/b", "5 raised budget_threshold/shop/tasks/day/100",
                "65 cleared account_out_of_units/a",
            ])
    }

    @Test func `an event says how long the condition has lasted, with its last figures`() {
        var book = AlertBook()
        _ = book.update([condition(.tasksStuck, "", 1)], at: moment(0))
        #expect(book.update([condition(.tasksStuck, "", 7)], at: moment(60)) == [])
        #expect(book.raised == [.tasksStuck: 1])
        _ = book.update([], at: moment(65))
        let cleared = book.update([], at: moment(400))
        #expect(cleared.map(\.lasted) == [.seconds(400)] && cleared[0].condition.details == [.number("count", 7)])
        #expect(book.raised == [:])
    }

    @Test func `more conditions than the book has room for are ignored`() {
        var book = AlertBook()
        let many = (0..<AlertBook.capacity + 5).map { condition(.budgetThreshold, "t\($0)") }
        #expect(book.update(many, at: moment(0)).count == AlertBook.capacity)
        #expect(book.update(many, at: moment(5)) == [])
    }
}
