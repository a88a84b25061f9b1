internal import KlingAPI
internal import TaskStore

/// Budgets as clients and operators see them in JSON: amounts are tasks, or units as decimal numbers.
enum BudgetView {
    /// Writes what is used of a budget.
    /// - Parameters:
    ///   - zone: the zone of the tenant's days.
    ///   - now: milliseconds since 1970.
    static func write(_ use: BudgetUse, in zone: DayZone, at now: Int64, to writer: inout JSONWriter) {
        let budget = use.budget
        write(budget, to: &writer)
        writer.member("used", number: budget.text(use.used))
        writer.member("held", number: budget.text(use.held))
        writer.member("left", number: budget.text(use.left(at: now)))
        guard budget.period != .total else { return }
        writer.member("resets_at", Int(zone.start(ofDay: use.days.upperBound)))
    }

    /// Writes a budget as an operator has set it.
    static func write(_ budget: Budget, to writer: inout JSONWriter) {
        writer.member("metric", "\(budget.metric)")
        writer.member("period", "\(budget.period)")
        writer.member("limit", number: budget.text(budget.limit))
        if let warn = budget.warnAtPercent { writer.member("warn_at_percent", warn) }
        guard let raise = budget.raise else { return }
        writer.object("raise") { writer in
            writer.member("limit", number: budget.text(raise.limit))
            writer.member("until", Int(raise.until))
        }
    }
}

extension Budget {
    /// An amount of the metric as a decimal number.
    func text(_ amount: Int64) -> String { metric == .tasks ? String(amount) : Decimal6.text(amount) }
}

extension JSONWriter {
    /// Writes a number that is given in JSON's syntax.
    mutating func member(_ name: StaticString, number: String) { member(name, json: number.utf8) }
}
