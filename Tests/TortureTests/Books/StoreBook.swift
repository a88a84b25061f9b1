/// A task as the gateway's store has it, from `kling-gateway tasks list --json`.
struct StoreTask: Sendable, Decodable, Hashable {
    /// The gateway's id.
    let id: String
    /// What the client knows it by, once it was told.
    let publicID: String?
    let upstreamID: String?
    let tenant: String
    /// None while it waits in the queue.
    let account: String?
    let state: String

    var isFinal: Bool { ["succeed", "failed", "refused"].contains(state) }

    enum CodingKeys: String, CodingKey {
        case id
        case publicID = "task_id"
        case upstreamID = "upstream_task_id"
        case tenant, account, state
    }
}
