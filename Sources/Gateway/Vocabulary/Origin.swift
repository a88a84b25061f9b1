internal import EventLoop

/// Where work comes from, for its lines in the log.
///
/// It applies to the current task and to the tasks that it starts: work that a request starts keeps the request's id,
/// even after the answer. Requests are too many to bind a task-local value for each: they are labelled.
enum Origin: Sendable {
    /// A client's request, by its `X-Request-Id`.
    case request(String)
    /// The gateway's own work.
    case callbacks, queue, recovery, upkeep, watching

    /// The origin of the gateway's own work.
    @TaskLocal static var bound: Origin?

    /// The origin of the current work.
    static var current: Origin? { bound ?? WorkLabel.current as? Origin }

    /// The log field that shows the origin.
    var field: (name: String, value: String) {
        if case .request(let id) = self { ("request_id", id) } else { ("origin", "\(self)") }
    }
}
