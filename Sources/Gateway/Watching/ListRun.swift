/// A run of list calls to one account. It lists the first pages while more awaited tasks are missing than can be
/// queried one by one. Then, if many due tasks are on none of them, it lists one further page, where the previous run
/// stopped, so that new tasks wait for at most one page of old ones.
///
/// Tasks only move to later pages, so no task on a page is skipped.
struct ListRun: Sendable {
    /// The further page that is next in turn.
    private(set) var deepPage: Int
    /// Whether no further page was reached yet.
    private(set) var isOnFirstPages = true

    private let firstPages: Int
    private let fewTasks: Int
    private let isDeepWanted: Bool
    private var page = 0

    /// - Parameters:
    ///   - awaited: how many tasks may be on the first pages that something waits for.
    ///   - unawaited: how many other tasks may be on the first pages. For these alone, one page is listed.
    ///   - isDeepWanted: whether many due tasks are not on the first pages.
    ///   - fewTasks: how many tasks can be queried one by one.
    init(awaited: Int, unawaited: Int, isDeepWanted: Bool, deepPage: Int, fewTasks: Int) {
        self.fewTasks = fewTasks
        self.deepPage = deepPage
        self.isDeepWanted = isDeepWanted
        let full = (awaited + WatchSchedule.pageSize - 1) / WatchSchedule.pageSize
        firstPages = awaited == 0 ? (unawaited == 0 ? 0 : 1) : min(full + 1, WatchSchedule.lastPage)
    }

    /// The page to list next; nil at the end of the run.
    /// - Parameters:
    ///   - isLast: whether the page before was the account's last.
    ///   - awaited: how many of the awaited tasks were on no page so far.
    mutating func next(isLast: Bool, awaited: Int) -> Int? {
        let hasEnded = isLast && page > 0
        guard isOnFirstPages else {
            deepPage = hasEnded || deepPage >= WatchSchedule.lastPage ? 2 : deepPage + 1
            return nil
        }
        if hasEnded { return nil }
        if page < firstPages, page == 0 || awaited > fewTasks {
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
}
