internal import Base

/// The list calls to one account: the run that is being made, and where the next one continues.
struct Listing: Sendable {
    /// How long an account that says that it has no list is not asked for one. Some resellers have none, but a proxy
    /// that is being reconfigured may say so too.
    private static let retryInterval = Duration.seconds(60 * 60)

    private var run: ListRun?
    /// The page that `run` continues with when the limits allow; nil while a list call is in flight.
    private var nextPage: Int?
    private var deepPage = 2
    /// Until when no list is requested, because the account has none.
    private var retryAt: MonotonicTime?

    /// Whether a run has begun that has not ended.
    var isRunning: Bool { run != nil }

    /// Whether the page that is being listed is one of the first.
    var isOnFirstPages: Bool { run?.isOnFirstPages ?? true }

    /// Whether lists may be requested: the account has not said recently that it has none.
    var isAvailable: Bool { retryAt == nil }

    /// Makes the list available again once the account may be asked for it.
    mutating func retryIfDue(_ now: MonotonicTime) {
        if let time = retryAt, now >= time { retryAt = nil }
    }

    /// Begins a run; the parameters are those of ``ListRun``.
    mutating func begin(awaited: Int, unawaited: Int, isDeepWanted: Bool, fewTasks: Int) {
        var run = ListRun(
            awaited: awaited, unawaited: unawaited, isDeepWanted: isDeepWanted, deepPage: deepPage, fewTasks: fewTasks)
        nextPage = run.next(isLast: false, awaited: awaited)
        self.run = run
    }

    /// Returns the page to list now; nil if there is none, or a list call is in flight.
    mutating func takePage() -> Int? { nextPage.take() }

    /// Records that a page was listed and its tasks were checked.
    /// - Parameters:
    ///   - isLast: whether it was the account's last page.
    ///   - awaited: how many of the run's tasks that something waits for were on no page so far.
    /// - Returns: whether the run's tasks that were on no page so far turned out not to be on the first pages.
    mutating func listed(isLast: Bool, awaited: Int) -> Bool {
        guard var run else { return false }
        nextPage = run.next(isLast: isLast, awaited: awaited)
        deepPage = run.deepPage
        let isOver = nextPage == nil
        self.run = isOver ? nil : run
        return isOver || !run.isOnFirstPages
    }

    /// Ends the run early.
    mutating func abandon() { (run, nextPage) = (nil, nil) }

    /// Records that the account has no list, and ends the run early.
    mutating func makeUnavailable(now: MonotonicTime) {
        retryAt = now + Self.retryInterval
        abandon()
    }
}
