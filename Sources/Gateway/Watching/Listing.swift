internal import Base
internal import TaskStore

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

    /// Whether lists may be requested: the account has not said recently that it has none.
    var isAvailable: Bool { retryAt == nil }

    /// Makes the list available again once the account may be asked for it.
    mutating func retryIfDue(_ now: MonotonicTime) {
        if let time = retryAt, now >= time { retryAt = nil }
    }

    /// Begins a run; the parameters are those of ``ListRun``.
    mutating func begin(awaited: [TaskID], unawaited: [TaskID], isDeepWanted: Bool, fewTasks: Int) {
        var run = ListRun(
            awaited: awaited, unawaited: unawaited, isDeepWanted: isDeepWanted, deepPage: deepPage, fewTasks: fewTasks)
        nextPage = run.next(isLast: false)
        self.run = run
    }

    /// Returns the page to list now; nil if there is none, or a list call is in flight.
    mutating func takePage() -> Int? { nextPage.take() }

    /// Removes a task that was checked or has ended from the run.
    mutating func remove(_ task: TaskID) { run?.remove(task) }

    /// Records that a page was listed and its tasks were removed.
    /// - Parameter isLast: whether it was the account's last page.
    /// - Returns: the run's tasks that the first pages turned out to lack.
    mutating func listed(isLast: Bool) -> [TaskID] {
        guard var run else { return [] }
        nextPage = run.next(isLast: isLast)
        let missed = run.takeMissed(atEnd: nextPage == nil)
        deepPage = run.deepPage
        self.run = nextPage == nil ? nil : run
        return missed
    }

    /// Ends the run early.
    /// - Returns: its tasks that were on no page so far.
    mutating func abandon() -> [TaskID] {
        defer { (run, nextPage) = (nil, nil) }
        return run?.missing ?? []
    }

    /// Records that the account has no list, and ends the run early.
    /// - Returns: its tasks that were on no page so far.
    mutating func makeUnavailable(now: MonotonicTime) -> [TaskID] {
        retryAt = now + Self.retryInterval
        return abandon()
    }
}
