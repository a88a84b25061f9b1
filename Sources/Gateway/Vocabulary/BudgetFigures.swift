public import TaskStore

/// What is used of a tenant's budget, for metrics and alerts.
public struct BudgetFigures: Sendable, Equatable {
    /// The highest number of budgets that are shown.
    static let most = 1000

    /// The tenant.
    public let tenant: String
    /// The budget, and what is used of it.
    public let use: BudgetUse
    /// The limit in force: a number of tasks, or millionths of a unit.
    public let limit: Int64
    /// When the period ends, in milliseconds since 1970; nil: never.
    public let resetsAt: Int64?

    /// Creates the figures of a budget.
    public init(tenant: String, use: BudgetUse, limit: Int64, resetsAt: Int64?) {
        self.tenant = tenant
        self.use = use
        self.limit = limit
        self.resetsAt = resetsAt
    }

    /// The share of the limit that is used, from 0. A limit of 0 is used up by the first task.
    var usedRatio: Double {
        if limit > 0 { return Double(use.used) / Double(limit) }
        return use.used > 0 ? 1 : 0
    }
}
