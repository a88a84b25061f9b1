import TaskStore
import Testing

/// Days, and the periods of budgets.
struct CivilDateTests {
    @Test(
        arguments: [
            ("1970-01-01", 0), ("1969-12-31", -1), ("2000-02-29", 11_016), ("2026-11-30", 20_787),
            ("2100-03-01", 47_541),
            ("0001-01-01", -719_162),
        ])
    func `a day has one number and one text`(text: String, number: Int) {
        #expect(CivilDate(text)?.number == number)
        #expect(CivilDate(day: number).text == text)
    }

    @Test(arguments: [
        "2026-02-29", "2026-13-01", "2026-1-01", "2026-11-31", "26-11-30", "2026-11-30 ", "", "-026-11-30",
    ])
    func `a text that is no day is none`(text: String) { #expect(CivilDate(text) == nil) }

    @Test func `every day of 800 years follows the one before`() {
        var last = CivilDate(day: -1)
        for number in 0..<292_194 {
            let date = CivilDate(day: number)
            #expect(date.number == number)
            #expect(date.day == last.day + 1 || date.day == 1 && last.day >= 28)
            last = date
        }
    }

    @Test func `periods have the right days`() {
        func days(_ period: BudgetPeriod, _ text: String) -> [String] {
            guard let day = CivilDate(text)?.number else { return [] }
            let days = period.days(around: day)
            return [days.lowerBound, days.upperBound - 1].map { CivilDate(day: $0).text }
        }
        #expect(days(.day, "2026-11-30") == ["2026-11-30", "2026-11-30"])
        #expect(days(.week, "2026-11-30") == ["2026-11-30", "2026-12-06"])
        #expect(days(.week, "2026-11-29") == ["2026-11-23", "2026-11-29"])
        #expect(days(.month, "2026-11-30") == ["2026-11-01", "2026-11-30"])
        #expect(days(.month, "2026-12-31") == ["2026-12-01", "2026-12-31"])
        #expect(days(.month, "2028-02-10") == ["2028-02-01", "2028-02-29"])
        #expect(BudgetPeriod.total.days(around: 0).contains(1_000_000))
    }
}
