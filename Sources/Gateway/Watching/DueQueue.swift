internal import TaskStore

/// The due tasks of one account, in order, until they are checked. A task may be in it more than once, or no longer be
/// due: the caller says which ones are wanted.
struct DueQueue: Sendable {
    /// One in this many queries is reserved for tasks that nothing waits for.
    private static let unawaitedShare = 5

    /// Tasks that a list call may return.
    private var listable = TaskFIFO()
    /// Tasks to query one by one: those that something waits for, and the others.
    private var awaited = TaskFIFO()
    private var unawaited = TaskFIFO()

    /// How many tasks are to be queried one by one.
    var singleCount: Int { awaited.count + unawaited.count }

    /// Adds a task that a list call may return.
    mutating func append(listable task: TaskID) { listable.append(task) }

    /// Adds a task to query by itself.
    mutating func append(single task: TaskID, isAwaited: Bool) {
        if isAwaited { awaited.append(task) } else { unawaited.append(task) }
    }

    /// Takes up to `limit` tasks that a list call may return.
    mutating func takeListable(_ limit: Int = .max, where isWanted: (TaskID) -> Bool) -> [TaskID] {
        listable.take(limit, where: isWanted)
    }

    /// Takes up to `limit` tasks to query one by one, most of them awaited ones.
    mutating func takeSingles(_ limit: Int, where isWanted: (TaskID) -> Bool) -> [TaskID] {
        let kept = min(unawaited.count, limit / Self.unawaitedShare)
        let tasks = awaited.take(limit - kept, where: isWanted)
        return tasks + unawaited.take(limit - tasks.count, where: isWanted)
    }
}

/// A first-in, first-out queue of tasks.
private struct TaskFIFO: Sendable {
    private var tasks: [TaskID] = []
    private var first = 0

    var count: Int { tasks.count - first }

    mutating func append(_ task: TaskID) { tasks.append(task) }

    /// Removes and returns up to `limit` tasks that are wanted, and drops unwanted ones on the way.
    mutating func take(_ limit: Int, where isWanted: (TaskID) -> Bool) -> [TaskID] {
        var taken: [TaskID] = []
        while first < tasks.count, taken.count < limit {
            if isWanted(tasks[first]) { taken.append(tasks[first]) }
            first += 1
        }
        if first > tasks.count / 2 {
            tasks.removeFirst(first)
            first = 0
        }
        return taken
    }
}
