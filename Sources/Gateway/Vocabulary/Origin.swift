/// Where work comes from, for its lines in the log.
///
/// It applies to the current task and to the tasks that it starts: work that a request starts keeps the request's id,
/// even after the answer.
enum Origin: Sendable {
    /// A client's request, by its `X-Request-Id`.
    case request(String)
    /// The gateway's own work.
    case callbacks, queue, recovery, upkeep, watching

    @TaskLocal static var current: Origin?

    /// The log field that shows the origin.
    var field: (name: String, value: String) {
        if case .request(let id) = self { ("request_id", id) } else { ("origin", "\(self)") }
    }
}
