internal import KlingAPI
internal import TaskStore

/// Budgets as members of bodies.
extension Budget {
    private static let mostTasks: Int64 = 1_000_000_000_000

    /// The members of a budget. What is used is shown in answers, and ignored in bodies.
    static let members = [
        AdminMember("metric", .word(Metric.allCases.map { "\($0)" }), "What is counted.", isRequired: true),
        AdminMember(
            "period", .word(BudgetPeriod.allCases.map { "\($0)" }), "The days that are counted together.",
            isRequired: true),
        AdminMember("limit", .amount, "How many tasks or units.", isRequired: true),
        AdminMember(
            "warn_at_percent", .integer(1...100), "From which share of the limit on the operator is warned.",
            isNullable: true),
        AdminMember(
            "raise",
            .object([
                AdminMember("limit", .amount, "The limit until then.", isRequired: true),
                AdminMember("until", .integer(AdminMember.times), "When the raise ends.", isRequired: true),
            ]), "A higher limit for a while.", isNullable: true),
        AdminMember("used", .readOnly, "What is used, including `held`."),
        AdminMember("held", .readOnly, "The part that belongs to unfinished tasks."),
        AdminMember("left", .readOnly, "What may still be used."),
        AdminMember("resets_at", .readOnly, "When the next period begins."),
    ]

    /// Reads a list of budgets.
    static func all(_ given: [AdminValues], name: String) throws(AdminError) -> [Budget] {
        var budgets: [Budget] = []
        for (index, values) in given.enumerated() {
            let budget = try Budget(values, name: "\(name)[\(index)]")
            if budgets.contains(where: { $0.metric == budget.metric && $0.period == budget.period }) {
                throw .value("\(name)[\(index)]", "has the metric and the period of another budget")
            }
            budgets.append(budget)
        }
        return budgets
    }

    private init(_ values: AdminValues, name: String) throws(AdminError) {
        let metric = Metric.allCases.first { "\($0)" == values.text("metric") } ?? .tasks
        let period = BudgetPeriod.allCases.first { "\($0)" == values.text("period") } ?? .total
        var raise: Raise?
        if let given = values.object("raise") {
            raise = Raise(
                limit: try Self.amount(given, metric, name: "\(name).raise.limit"),
                until: Int64(given.integer("until") ?? 0))
        }
        self.init(
            metric, per: period, limit: try Self.amount(values, metric, name: "\(name).limit"),
            warnAtPercent: values.integer("warn_at_percent"), raise: raise)
    }

    private static func amount(_ values: AdminValues, _ metric: Metric, name: String) throws(AdminError) -> Int64 {
        let millionths = values.amount("limit") ?? 0
        guard metric == .tasks else { return millionths }
        guard millionths % 1_000_000 == 0 else { throw .value(name, "must be a whole number of tasks") }
        return millionths / 1_000_000
    }
}
