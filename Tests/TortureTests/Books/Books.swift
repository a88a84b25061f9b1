/// Everything that is known once the run has settled.
struct Books: Sendable {
    var upstream: [UpstreamTask] = []
    /// The creates that arrived at the upstream, in order.
    var arrivals: [ArrivedCreate] = []
    /// The upstream's accounts by name. An account that is missing counts as Kling's.
    var accounts: [String: AccountPlan.Account] = [:]
    var store: [StoreTask] = []
    /// What is wrong with the store's file.
    var damages: [String] = []
    var clients = ClientBook()
    var budgets = BudgetBook()
    /// For each tenant, everything that its list shows at the end.
    var lists: [String: [SeenTask]] = [:]
    /// What queries find at the end; nil for an unknown task.
    var answers: [Question: SeenTask?] = [:]
    /// What queries are told to ask for later, to the end.
    var postponed: Set<Question> = []

    /// A query of a tenant.
    struct Question: Sendable, Hashable {
        let tenant: String
        let id: String
    }
}
