internal import KlingAPI
internal import TaskStore

/// Reads tasks at Kling for the watcher, and stores what Kling says. The watcher calls it on its loop. Every call must
/// end within a limited time.
protocol TaskReader: Sendable {
    /// Lists an account's tasks, newest first, ``WatchSchedule/pageSize`` per page.
    /// - Parameter page: from 1.
    func list(_ account: String, page: Int) async throws(TaskReadFailure) -> TaskPage

    /// How many of an account's tasks one query may ask for.
    func tasksPerQuery(_ account: String) -> Int

    /// Queries tasks, at most ``tasksPerQuery(_:)``. The results are in the order of `tasks`.
    func query(_ account: String, _ tasks: [WatchedID]) async -> [TaskReading]

    /// Stores what Kling says about tasks.
    /// - Returns: the progress of each task, in the same order. A task that can't be stored counts as unfinished.
    func found(_ tasks: [FoundTask]) async -> [TaskProgress]

    /// Tells the operator that Kling doesn't know a task, or that it knows it again.
    func flag(_ task: TaskID, isStuck: Bool) async
}

/// A task to query, with both of its ids.
struct WatchedID: Sendable, Equatable {
    let id: TaskID
    let upstreamID: String
}

/// What Kling says about a task that was queried.
enum TaskReading: Sendable {
    case found(TaskObject)
    /// Kling has no such task, in whatever form it says so.
    case unknown
    /// There was no usable answer.
    case failed
}

/// Why a list could not be read.
enum TaskReadFailure: Error {
    /// An outage, 1302, or an answer that makes no sense.
    case unavailable
    /// The account's tasks can't be listed at all.
    case noList
}

/// A watched task, and what Kling says about it.
struct FoundTask: Sendable {
    let id: TaskID
    let object: TaskObject
}

/// Whether a task has ended.
enum TaskProgress: Sendable, Equatable {
    case unfinished
    case ended
}
