internal import TaskStore

/// List calls of one account, one after the other: the first pages as long as wanted tasks are missing from what came,
/// then, if many tasks are on none of them, some of the further pages, where the run before stopped.
///
/// Tasks only move to later pages, so nothing that is on a page is passed over.
struct ListRun: Sendable {
    /// Due tasks that no page had so far.
    var wanted: Set<TaskID>
    /// The page after the last that was listed of the further ones.
    private(set) var deepPage: Int

    private let firstPages: Int
    private let isDeepWanted: Bool
    private var callsLeft: Int
    private var page = 0
    private var isOnFirstPages = true

    /// - Parameters:
    ///   - due: the tasks that the first pages may have.
    ///   - deep: how many tasks are due that they don't have.
    init(due: [TaskID], deep: Int, deepPage: Int) {
        wanted = Set(due)
        self.deepPage = deepPage
        isDeepWanted = deep > 0
        firstPages = due.isEmpty ? 0 : min(Self.pages(due.count) + 1, WatchSchedule.lastPage)
        callsLeft = Self.pages(due.count + deep) + 1
    }

    private static func pages(_ tasks: Int) -> Int { (tasks + WatchSchedule.pageSize - 1) / WatchSchedule.pageSize }

    /// The page to list next; nil at the end of the run.
    /// - Parameter isLast: whether nothing comes behind the page before.
    mutating func next(isLast: Bool) -> Int? {
        let hasEnded = isLast && page > 0
        if !isOnFirstPages { deepPage = hasEnded || deepPage >= WatchSchedule.lastPage ? 2 : deepPage + 1 }
        guard callsLeft > 0, !hasEnded else { return nil }
        if isOnFirstPages, page < firstPages, !wanted.isEmpty {
            page += 1
        } else if isDeepWanted {
            isOnFirstPages = false
            page = deepPage
        } else {
            return nil
        }
        callsLeft -= 1
        return page
    }

    /// The tasks that the first pages don't have, once these are over. In the order of their ids.
    mutating func takeMissed(atEnd: Bool) -> [TaskID] {
        guard atEnd || !isOnFirstPages else { return [] }
        defer { wanted = [] }
        return wanted.sorted()
    }
}
