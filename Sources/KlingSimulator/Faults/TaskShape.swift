internal import KlingAPI

/// How an answer represents its tasks: for faulty answers with wrong values in an otherwise correct structure.
enum TaskShape: Sendable {
    /// The older API.
    case kolors
    /// The newer API, in the answers to a create, a query and a list.
    case created, found, listed

    init(_ call: SimulatedRequest.Call) {
        switch (call.dialect, call.point) {
        case (.kolors, _): self = .kolors
        case (.solutions, .query): self = .found
        case (.solutions, .list): self = .listed
        case (.solutions, _): self = .created
        }
    }

    /// The `data` with one task.
    /// - Parameter id: the task's id; nil to leave it out.
    func data(id: String?) -> [UInt8] {
        let task = JSONWriter.object { task in
            let status = TaskStatus.submitted.rawValue
            switch self {
            case .kolors, .created: task.member("task_id", ifPresent: id)
            case .found, .listed: task.member("id", ifPresent: id)
            }
            switch self {
            case .kolors: task.member("task_status", status)
            case .created, .found, .listed: task.member("status", status)
            }
        }
        switch self {
        case .kolors, .created: return task
        case .found:
            var writer = JSONWriter()
            writer.array { $0.json(task) }
            return writer.bytes
        case .listed:
            return JSONWriter.object { data in
                data.array("result") { $0.json(task) }
                data.member("count", 1)
                data.member("next_cursor", "")
                data.member("has_more", false)
            }
        }
    }
}
