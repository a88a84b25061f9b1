internal import ArgumentParser
internal import KlingAPI

/// The budgets and the time zone of a tenant.
struct BudgetOptions: ParsableArguments {
    @Option(
        help: """
            A budget of the tenant, such as tasks/month=1000 or units/day=50@80%, where operators are warned from 80 % \
            on; tasks/month=none removes it. Periods are day, week, month and total. May be repeated.
            """)
    var budget: [String] = []
    @Option(help: "A higher limit of a budget until --until, such as tasks/month=1500; may be repeated.")
    var raise: [String] = []
    @Option(help: "When --raise ends: a day (2026-12-24, which begins in UTC) or a time from now (7d).")
    var until: String?
    @Option(help: "The zone in which the tenant's days begin, such as Europe/Berlin.") var timeZone: String?

    func validate() throws {
        for text in budget { _ = try BudgetSetting(text, "--budget") }
        for text in raise { _ = try BudgetSetting(text, "--raise") }
        if raise.isEmpty != (until == nil) { throw ValidationError("--raise and --until must be given together") }
        if let until { _ = try OperatorTime.milliseconds(until, "--until") }
    }

    var isEmpty: Bool { budget.isEmpty && raise.isEmpty && timeZone == nil }

    /// Writes the members that were given.
    /// - Parameter tenant: the tenant as it is; nil if there is none yet. Its other budgets stay.
    func write(to writer: inout JSONWriter, changing tenant: JSONObject?) throws {
        writer.member("time_zone", ifPresent: timeZone)
        if budget.isEmpty, raise.isEmpty { return }
        var settings = (tenant?.list("budgets") ?? []).map { BudgetSetting($0) }
        for text in budget {
            var setting = try BudgetSetting(text, "--budget")
            let old = settings.firstIndex { $0.isSame(as: setting) }
            if let old {
                setting.raise = settings[old].raise
                settings.remove(at: old)
            }
            if setting.limit != nil { settings.append(setting) }
        }
        for text in raise {
            let raised = try BudgetSetting(text, "--raise")
            guard let index = settings.firstIndex(where: { $0.isSame(as: raised) }), let limit = raised.limit else {
                throw ValidationError("--raise \(text): the tenant has no budget \(raised.metric)/\(raised.period)")
            }
            settings[index].raise = (limit, try OperatorTime.milliseconds(until ?? "", "--until"))
        }
        writer.array("budgets") { list in
            for setting in settings { list.object { setting.write(to: &$0) } }
        }
    }
}

/// A budget as it is written on the command line and in a call.
private struct BudgetSetting {
    let metric: String
    let period: String
    /// A decimal number; nil: none.
    let limit: String?
    private let warning: Int?
    var raise: (limit: String, until: Int)?

    /// Reads `metric/period=limit`, perhaps with `@percent%`.
    init(_ text: String, _ option: String) throws {
        let form = /(tasks|units)\/(day|week|month|total)=(none|[0-9]+(?:\.[0-9]{1,6})?)(?:@([0-9]{1,3})%?)?/
        guard let found = text.wholeMatch(of: form)?.output else {
            throw ValidationError("\(option) is '\(text)', but must be like tasks/month=1000 or units/day=50@80%")
        }
        (metric, period) = (String(found.1), String(found.2))
        limit = found.3 == "none" ? nil : String(found.3)
        warning = found.4.flatMap { Int($0) }
    }

    /// Reads a budget of an answer.
    init(_ budget: JSONObject) {
        (metric, period) = (budget.cell("metric"), budget.cell("period"))
        limit = budget.number("limit")
        warning = budget.integer("warn_at_percent")
        if let raised = budget.object("raise"), let limit = raised.number("limit"), let end = raised.integer("until") {
            raise = (limit, end)
        }
    }

    func isSame(as other: BudgetSetting) -> Bool { metric == other.metric && period == other.period }

    func write(to writer: inout JSONWriter) {
        writer.member("metric", metric)
        writer.member("period", period)
        writer.member("limit", json: (limit ?? "0").utf8)
        if let warning { writer.member("warn_at_percent", warning) }
        guard let raise else { return }
        writer.object("raise") { writer in
            writer.member("limit", json: raise.limit.utf8)
            writer.member("until", raise.until)
        }
    }
}
