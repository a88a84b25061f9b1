/// Where work comes from, for the lines that it leaves in the log.
///
/// It belongs to the current task and to the tasks that it starts: work that a request starts keeps the request's id, even
/// after the answer.
enum Origin: Sendable {
    /// A client's request, by its `X-Request-Id`.
    case request(String)
    /// What the gateway does by itself.
    case callbacks, queue, recovery, upkeep, watching

    @TaskLocal static var current: Origin?

    /// The field that says so in the log.
    var field: (name: String, value: String) {
        if case .request(let id) = self { ("request_id", id) } else { ("origin", "\(self)") }
    }
}
