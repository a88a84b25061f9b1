internal import KlingAPI
internal import TaskStore

/// What an account says about one task that was queried. An answer counts only if its ids show that it is about that
/// task: some resellers have answered with their newest task or with a cached page.
enum QueryResult: Sendable {
    /// The account has the task; `upstreamID` is the account's id for it.
    case found(KlingAnswer, TaskObject, upstreamID: String)
    /// The account says that it has no such task.
    case unknown
    /// The answer is about another task, or does not say which one.
    case other(TaskObject)
    /// There was no answer, or it shows neither a task nor that the account has none: an error, for example.
    case none

    /// Judges an answer in the form of the older API.
    /// - Parameters:
    ///   - task: the gateway's id, which was sent as `external_task_id`.
    ///   - upstreamID: the account's id in the query; `nil` if the query used the gateway's id.
    init(_ answer: UpstreamAnswer, to task: TaskID, upstreamID: String?) {
        switch answer {
        case .bare(let answer): self = answer.isUnknownTask ? .unknown : .none
        case .enveloped(_, let answer) where answer.isUnknownTask: self = .unknown
        case .enveloped(_, let answer):
            guard answer.code == .ok, let object = answer.task else {
                self = .none
                return
            }
            let id = Self.id(of: object, task, upstreamID)
            self = id.map { .found(answer, object, upstreamID: $0) } ?? .other(object)
        }
    }

    /// Whether the account has the task.
    var isFound: Bool { if case .found = self { true } else { false } }

    /// The account's id for the task; `nil` if the object is, or may be, about another task.
    private static func id(of object: TaskObject, _ task: TaskID, _ upstreamID: String?) -> String? {
        // After a query by the gateway's id, only that id in the answer shows that this is the right task.
        guard let upstreamID else { return object.externalTaskID == task.description ? object.taskID : nil }
        // After a query by the account's own id, that id is sufficient: resellers may return an `external_task_id` of
        // their own.
        if let id = object.taskID { return id == upstreamID ? id : nil }
        return object.externalTaskID.map { $0 == task.description } ?? true ? upstreamID : nil
    }
}
