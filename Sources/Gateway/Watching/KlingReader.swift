internal import Base
internal import KlingAPI
internal import TaskStore

/// Asks Kling for the tasks that are watched, and keeps what it says.
final class KlingReader: TaskReader {
    // Weak: the tasks own the watcher, which owns its reader.
    private struct Owner {
        weak var tasks: TryOnTasks?
    }

    private let owner = Lock(Owner())

    /// Whose tasks are read. Set it before the watcher starts.
    func serve(_ tasks: TryOnTasks) { owner.withLock { $0.tasks = tasks } }

    private var tasks: TryOnTasks? { owner.withLock { $0.tasks } }

    func list(_ account: String, page: Int) async throws(TaskReadFailure) -> TaskPage {
        guard let tasks, let account = tasks.accounts.named(account) else { throw .unavailable }
        let answered = try? await tasks.caller.list(account, page: page, timeout: TryOnTasks.listTime)
        guard let answered else { throw .unavailable }
        // A reseller without a list answers that there is no such path or method.
        if answered.hasNoRoute { throw .noList }
        guard let answer = answered.envelope, answer.code == .ok, let page = answer.tasks else { throw .unavailable }
        return TaskPage(tasks: page, isLast: page.count < WatchSchedule.pageSize)
    }

    func query(_ account: String, _ task: TaskID, upstreamID: String) async throws(TaskReadFailure) -> TaskObject? {
        guard let tasks, let account = tasks.accounts.named(account) else { throw .unavailable }
        switch await tasks.caller.query(account, task, upstreamID: upstreamID, timeout: TryOnTasks.refreshTime) {
        case .found(_, let object, _): return object
        case .unknown: return nil
        case .other, .none: throw .unavailable
        }
    }

    func found(_ found: [FoundTask]) async -> [TaskProgress] {
        guard let tasks else { return found.map { _ in .unfinished } }
        var progress: [TaskProgress] = []
        for task in found { progress.append(await tasks.heard(task.object, of: task.id)) }
        return progress
    }

    func flag(_ task: TaskID, isStuck: Bool) async {
        _ = await tasks?.flag(task, isStuck ? .stuck : [])
    }
}
