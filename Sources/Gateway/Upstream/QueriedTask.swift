internal import KlingAPI
internal import TaskStore

/// What an account says of one task that it was asked for. The one place that decides whether an answer is about that
/// task at all: resellers have been seen to answer with their newest task, or with a cached page.
enum QueriedTask: Sendable {
    /// The account has the task, under that id of its own.
    case found(KlingAnswer, TaskObject, upstreamID: String)
    /// The account says that it has no such task.
    case unknown
    /// There was no answer, or none that could be understood, or one about another task.
    case none

    /// Judges an answer.
    /// - Parameters:
    ///   - task: the gateway's id, which was sent as `external_task_id`.
    ///   - upstreamID: the account's id by which it was asked; `nil`: it was asked by the gateway's.
    ///   - trustsNameless: whether a task without `external_task_id` is believed to be the one asked for, because the
    ///     account is known to find tasks by it.
    init(_ answer: UpstreamAnswer, to task: TaskID, upstreamID: String?, trustsNameless: Bool) {
        switch answer {
        case .bare(let answer): self = answer.isUnknownTask ? .unknown : .none
        case .enveloped(_, let answer) where answer.isUnknownTask: self = .unknown
        case .enveloped(_, let answer):
            guard answer.code == .ok, let object = answer.task,
                let id = Self.id(of: object, task, upstreamID, trustsNameless)
            else {
                self = .none
                return
            }
            self = .found(answer, object, upstreamID: id)
        }
    }

    /// The account's id of the task; `nil` if the object is another task's.
    private static func id(
        of object: TaskObject, _ task: TaskID, _ upstreamID: String?, _ trustsNameless: Bool
    ) -> String? {
        let name = object.externalTaskID
        guard let upstreamID else {
            return name.map { $0 == task.description } ?? trustsNameless ? object.taskID : nil
        }
        // Its own id says it all; resellers may show an `external_task_id` of theirs.
        if let id = object.taskID { return id == upstreamID ? id : nil }
        return name.map { $0 == task.description } ?? true ? upstreamID : nil
    }
}
