/// Everything that is known once the dust has settled.
struct Books: Sendable {
    var upstream: [UpstreamTask] = []
    /// The creates that arrived at the upstream, in their order.
    var arrivals: [ArrivedCreate] = []
    /// The upstream's accounts by their names, as far as there is something to know of them.
    var accounts: [String: AccountPlan.Account] = [:]
    var store: [StoreTask] = []
    var clients = ClientBook()
    /// For each tenant, all that its list shows in the end.
    var lists: [String: [SeenTask]] = [:]
    /// What queries find in the end; nil for a task that is unknown.
    var answers: [Question: SeenTask?] = [:]

    /// A query of a tenant.
    struct Question: Sendable, Hashable {
        let tenant: String
        let id: String
    }
}
