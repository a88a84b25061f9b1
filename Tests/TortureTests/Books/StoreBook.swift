/// A task as the gateway's store has it, from `kling-gateway tasks list --json`.
struct StoreTask: Sendable, Decodable, Hashable {
    /// The gateway's id.
    let id: String
    /// The id that the client knows it by, once it was told.
    let publicID: String?
    let upstreamID: String?
    let tenant: String
    /// None while it waits in the queue.
    let account: String?
    let state: String
    /// Why it failed, if it did.
    var message: String?
    /// Whether the operator was told that its outcome cannot be known, or that there is no more news of it.
    var isUnknown = false
    var isStuck = false

    var isFinal: Bool { ["succeed", "failed", "refused"].contains(state) }

    enum CodingKeys: String, CodingKey {
        case id
        case publicID = "task_id"
        case upstreamID = "upstream_task_id"
        case tenant, account, state
        case message = "task_status_msg"
        case isUnknown = "unknown"
        case isStuck = "stuck"
    }
}
