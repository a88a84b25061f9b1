/// What the gateway says that tenants have used, and what their budgets allow.
struct BudgetBook: Sendable, Equatable {
    /// What a tenant has used.
    struct Usage: Sendable, Equatable {
        var running = 0
        var succeeded = 0
        var failed = 0
        var refused = 0
        /// Millionths of a unit.
        var units = 0
    }

    /// A tenant's budget of tasks.
    struct Budget: Sendable, Equatable, Decodable {
        let limit: Int
        var used: Int
        var held: Int
    }

    /// By tenant.
    var usage: [String: Usage] = [:]
    var budgets: [String: Budget] = [:]
}
