internal import TaskStore

/// A run of list calls to one account. It lists the first pages while more awaited tasks are missing than can be
/// queried one by one. Then, if many due tasks are on none of them, it lists one further page, where the previous run
/// stopped, so that new tasks wait for at most one page of old ones.
///
/// Tasks only move to later pages, so no task on a page is skipped.
struct ListRun: Sendable {
    /// Due tasks that were on no page so far: those that something waits for, and the others.
    private var awaited: Set<TaskID>
    private var unawaited: Set<TaskID>
    /// The further page that is next in turn.
    private(set) var deepPage: Int

    private let firstPages: Int
    private let fewTasks: Int
    private let isDeepWanted: Bool
    private var page = 0
    private var isOnFirstPages = true

    /// - Parameters:
    ///   - awaited: the tasks that may be on the first pages and that something waits for.
    ///   - unawaited: the other tasks that may be on the first pages. For these alone, one page is listed.
    ///   - isDeepWanted: whether many due tasks are not on the first pages.
    ///   - fewTasks: how many tasks can be queried one by one.
    init(
        awaited: [TaskID], unawaited: [TaskID], isDeepWanted: Bool, deepPage: Int, fewTasks: Int
    ) {
        self.fewTasks = fewTasks
        (self.awaited, self.unawaited) = (Set(awaited), Set(unawaited))
        self.deepPage = deepPage
        self.isDeepWanted = isDeepWanted
        let full = (awaited.count + WatchSchedule.pageSize - 1) / WatchSchedule.pageSize
        firstPages = awaited.isEmpty ? (unawaited.isEmpty ? 0 : 1) : min(full + 1, WatchSchedule.lastPage)
    }

    /// Due tasks that were on no page so far, ordered by id.
    var missing: [TaskID] { awaited.union(unawaited).sorted() }

    /// Removes a task that was checked or has ended.
    mutating func remove(_ task: TaskID) {
        awaited.remove(task)
        unawaited.remove(task)
    }

    /// The page to list next; nil at the end of the run.
    /// - Parameter isLast: whether the page before was the account's last.
    mutating func next(isLast: Bool) -> Int? {
        let hasEnded = isLast && page > 0
        guard isOnFirstPages else {
            deepPage = hasEnded || deepPage >= WatchSchedule.lastPage ? 2 : deepPage + 1
            return nil
        }
        if hasEnded { return nil }
        if page < firstPages, page == 0 || awaited.count > fewTasks {
            page += 1
            return page
        }
        guard isDeepWanted else { return nil }
        isOnFirstPages = false
        // Skip the pages that this run has just listed.
        deepPage = max(deepPage, page + 1)
        page = deepPage
        return page
    }

    /// Removes and returns the tasks that are not on the first pages, once these have been listed.
    mutating func takeMissed(atEnd: Bool) -> [TaskID] {
        guard atEnd || !isOnFirstPages else { return [] }
        defer { (awaited, unawaited) = ([], []) }
        return missing
    }
}
