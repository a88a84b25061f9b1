internal import KlingAPI
internal import TaskStore

/// How the watcher asks Kling and keeps what it hears. Calls come from the watcher's loop, and must end in some time of
/// their own accord.
protocol TaskReader: Sendable {
    /// Lists an account's tasks, newest first, ``WatchSchedule/pageSize`` a page.
    /// - Parameter page: from 1.
    func list(_ account: String, page: Int) async throws(TaskReadFailure) -> TaskPage

    /// How many tasks of an account one call may ask for.
    func tasksPerQuery(_ account: String) -> Int

    /// Asks for tasks, ``tasksPerQuery(_:)`` at most; what became of each, in their order.
    func query(_ account: String, _ tasks: [WatchedID]) async -> [TaskReading]

    /// Keeps what Kling says of tasks.
    /// - Returns: for each, in the same order, what has become of it. What can't be kept counts as unfinished.
    func found(_ tasks: [FoundTask]) async -> [TaskProgress]

    /// The operator is to know that Kling doesn't know a task, or that it does again.
    func flag(_ task: TaskID, isStuck: Bool) async
}

/// A task that is read, by both of its ids.
struct WatchedID: Sendable, Equatable {
    let id: TaskID
    let upstreamID: String
}

/// What Kling says of a task that it was asked for.
enum TaskReading: Sendable {
    case found(TaskObject)
    /// It has no such task, in whatever shape it says so.
    case unknown
    /// It could not be heard.
    case failed
}

/// Why Kling could not be heard.
enum TaskReadFailure: Error {
    /// An outage, 1302, or an answer that makes no sense.
    case unavailable
    /// The account's tasks can't be listed at all.
    case noList
}

/// A watched task, and what Kling says of it.
struct FoundTask: Sendable {
    let id: TaskID
    let object: TaskObject
}

/// What has become of a task.
enum TaskProgress: Sendable, Equatable {
    case unfinished
    case ended
}
