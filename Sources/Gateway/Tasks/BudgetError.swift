internal import Base
internal import TaskStore

extension StoreError {
    /// What a client is told whose create the store refused.
    func refusal(of principal: Principal) -> GatewayError {
        guard let budget else { return limitRefusal(of: principal) ?? GatewayError(self) }
        return GatewayError(.budgetSpent, budget.message(in: principal.policy.zone))
    }
}

extension BudgetRefusal {
    /// Whose budget it is, how much is left, and when it starts again.
    fileprivate func message(in zone: DayZone) -> String {
        let budget = use.budget
        let left = budget.text(max(0, limit - use.used))
        let held = use.held > 0 ? ", \(budget.text(use.held)) of them held by running tasks" : ""
        let state =
            "The tenant \(tenant) has used \(budget.text(use.used)) of its \(budget.text(limit)) \(budget.metric) "
            + "\(budget.period.words)\(held); \(left) are left, and this request needs \(budget.text(needed)). "
        guard budget.period != .total else { return state + "Ask the gateway's operator for more." }
        return state + "It starts again at \(UTCTime.text(zone.start(ofDay: use.days.upperBound)))."
    }
}

extension BudgetPeriod {
    fileprivate var words: String {
        switch self {
        case .day: "today"
        case .week: "this week"
        case .month: "this month"
        case .total: "in all"
        }
    }
}
