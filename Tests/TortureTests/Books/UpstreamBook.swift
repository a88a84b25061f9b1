/// A task in the upstream's book, which its account has paid for.
struct UpstreamTask: Sendable, Decodable, Hashable {
    let account: String
    /// Kling's id.
    let id: String
    /// The gateway's id.
    let externalTaskID: String?
    var status: String
    /// What the create is recognized by.
    let picture: String?

    /// The create that made it.
    var number: Int? { picture.flatMap { CreatePlan.number(ofPicture: $0) } }
    var isFinal: Bool { status == "succeed" || status == "failed" }

    enum CodingKeys: String, CodingKey {
        case account
        case id = "task_id"
        case externalTaskID = "external_task_id"
        case status = "task_status"
        case picture = "human_image"
    }
}

/// A create that arrived at the upstream, and what the gateway could learn about it from the answer.
struct ArrivedCreate: Sendable, Decodable, Hashable {
    enum Outcome: String, Sendable, Decodable {
        case made, refused, unclear
    }

    let account: String
    /// The gateway's id.
    let externalTaskID: String
    let outcome: Outcome

    enum CodingKeys: String, CodingKey {
        case account
        case externalTaskID = "external_task_id"
        case outcome
    }
}
