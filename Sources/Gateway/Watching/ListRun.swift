internal import TaskStore

/// List calls of one account, one after the other: the first pages as long as more awaited tasks are missing from what
/// came than can be asked for one by one, then, if many tasks are on none of them, one of the further pages, where the run
/// before stopped: what is new does not wait for more of what is old.
///
/// Tasks only move to later pages, so nothing that is on a page is passed over.
struct ListRun: Sendable {
    /// Due tasks that no page had so far: those that somebody waits for, and the others.
    private var awaited: Set<TaskID>
    private var swept: Set<TaskID>
    /// The page after the last that was listed of the further ones.
    private(set) var deepPage: Int

    private let firstPages: Int
    private let fewTasks: Int
    private let isDeepWanted: Bool
    private var page = 0
    private var isOnFirstPages = true

    /// - Parameters:
    ///   - awaited: the tasks that the first pages may have, and that somebody waits for.
    ///   - swept: the others that these may have. For them alone there is one first page.
    ///   - isDeepWanted: whether many tasks are due that they don't have.
    ///   - fewTasks: as many as can be asked for one by one.
    init(
        awaited: [TaskID], swept: [TaskID], isDeepWanted: Bool, deepPage: Int,
        fewTasks: Int = WatchSchedule.readsPerInterval
    ) {
        self.fewTasks = fewTasks
        (self.awaited, self.swept) = (Set(awaited), Set(swept))
        self.deepPage = deepPage
        self.isDeepWanted = isDeepWanted
        let full = (awaited.count + WatchSchedule.pageSize - 1) / WatchSchedule.pageSize
        firstPages = awaited.isEmpty ? (swept.isEmpty ? 0 : 1) : min(full + 1, WatchSchedule.lastPage)
    }

    /// Due tasks that no page had so far. In the order of their ids.
    var missing: [TaskID] { awaited.union(swept).sorted() }

    /// A task has been looked at, or has ended.
    mutating func remove(_ task: TaskID) {
        awaited.remove(task)
        swept.remove(task)
    }

    /// The page to list next; nil at the end of the run.
    /// - Parameter isLast: whether nothing comes behind the page before.
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
        // What the first pages have just shown is not listed again.
        deepPage = max(deepPage, page + 1)
        page = deepPage
        return page
    }

    /// The tasks that the first pages don't have, once these are over.
    mutating func takeMissed(atEnd: Bool) -> [TaskID] {
        guard atEnd || !isOnFirstPages else { return [] }
        defer { (awaited, swept) = ([], []) }
        return missing
    }
}
