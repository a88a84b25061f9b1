internal import Base
internal import TaskStore

/// Decides when the unfinished tasks of one account are checked, each until it ends: events in, actions out.
///
/// Many tasks are checked by one list call; a few tasks, and those that the first pages don't have, are queried one by
/// one. No failure ends a task or takes it off the schedule: failed calls only slow down the watching of the account.
struct WatchSchedule: Sendable {
    enum Action: Equatable {
        /// List this page of the account's tasks, newest first, ``pageSize`` per page; report `listed`, `listFailed` or
        /// `listIsMissing`.
        case list(page: Int)
        /// Query one task, in one call with up to ``tasksPerQuery`` others; report `seen`, `ended`, `notFound` or
        /// `readFailed`.
        case read(TaskID)
        /// Kling hasn't known the task for ``stuckAfter``: tell the operator.
        case flag(TaskID)
        /// Kling knows the task again.
        case clearFlag(TaskID)
    }

    /// The interval that limits apply to: one list call and ``readsPerInterval`` queries.
    static let interval = Duration.seconds(1)
    /// How many tasks a page has.
    static let pageSize = 500
    /// The number of the last page that Kling returns.
    static let lastPage = 1000
    /// The most queries in an interval, and the most in flight.
    static let readsPerInterval = 5
    /// If at least this many due tasks are not on the first pages, further pages are listed in turn.
    private static let manyDeepTasks = 10 * readsPerInterval
    /// How long Kling may not know a task before the operator is told.
    static let stuckAfter = Duration.seconds(24 * 60 * 60)

    private var tasks: WatchedTasks
    private var listing = Listing()
    /// Whether more due tasks are not on the first pages than queries alone should read.
    private var areManyDeep = false
    private var budget: CallBudget

    /// - Parameter seed: the seed of the jitter.
    init(seed: UInt64, now: MonotonicTime) {
        tasks = WatchedTasks(seed: seed, now: now)
        budget = CallBudget(seed: ~seed, now: now)
    }

    /// How many tasks are watched.
    var count: Int { tasks.count }

    /// Whether a task is watched.
    func contains(_ task: TaskID) -> Bool { tasks.contains(task) }

    /// The watched task that Kling knows by this id.
    func task(upstreamID: String) -> TaskID? { tasks.task(upstreamID: upstreamID) }

    /// Kling's id of a task; nil if it isn't watched.
    func upstreamID(of task: TaskID) -> String? { tasks.upstreamID(of: task) }

    /// How many tasks one query may ask for.
    var tasksPerQuery: Int {
        get { budget.tasksPerQuery }
        set { budget.tasksPerQuery = newValue }
    }

    // MARK: Tasks

    /// Starts to watch a task. Repeating it has no effect.
    /// - Parameter upstreamID: Kling's id of the task.
    mutating func watch(_ task: WatchedTask, upstreamID: String, now: MonotonicTime) {
        tasks.insert(task, upstreamID: upstreamID, now: now)
    }

    /// Records that the account limits how many tasks run at once: from now on, something waits for the end of every
    /// task. Repeating it has no effect.
    mutating func limit(now: MonotonicTime) { tasks.awaitAll(now: now) }

    /// Has a task checked at the next tick, and again after a call in flight, because something may have happened to
    /// it.
    mutating func hint(_ task: TaskID) {
        tasks.hint(task, isListing: listing.isRunning, isListed: listing.isAvailable)
    }

    /// Records that Kling has reported the task's current state, however the gateway learned it.
    mutating func seen(_ task: TaskID, now: MonotonicTime) -> [Action] {
        guard let end = tasks.seen(task, now: now) else { return [] }
        if end.wasReading { budget.succeeded() }
        apply(end, to: task)
        return end.changesFlag ? [.clearFlag(task)] : []
    }

    /// Records that the task has ended, however this was noticed.
    mutating func ended(_ task: TaskID) {
        guard let end = tasks.remove(task) else { return }
        if end.wasReading { budget.succeeded() }
        apply(end, to: task)
    }

    /// Records that Kling says that it doesn't know the task, which proves nothing.
    mutating func notFound(_ task: TaskID, now: MonotonicTime) -> [Action] {
        budget.succeeded()
        guard let end = tasks.notFound(task, now: now) else { return [] }
        apply(end, to: task)
        return end.changesFlag ? [.flag(task)] : []
    }

    /// Records that a query of a task got no answer, 1302 or another error.
    mutating func readFailed(_ task: TaskID, now: MonotonicTime) {
        budget.failed(now)
        if let end = tasks.readFailed(task, now: now) { apply(end, to: task) }
    }

    private mutating func apply(_ end: WatchedTasks.CheckEnd, to task: TaskID) {
        if end.wasReading { budget.endRead() }
        if end.isDueAgain { tasks.enqueue(task, isListed: listing.isAvailable) }
    }

    // MARK: Calls

    /// Returns the calls to make now. It may be called at any time; the limits apply per ``interval``.
    mutating func tick(now: MonotonicTime) -> [Action] {
        listing.retryIfDue(now)
        tasks.fallDue(now, isListed: listing.isAvailable)
        budget.renew(now)
        guard budget.allowsCalls(now) else { return [] }
        if let list = list(now) { return budget.isProbing ? list : list + read() }
        return read()
    }

    /// Starts to list pages if enough tasks are due, or continues to.
    private mutating func list(_ now: MonotonicTime) -> [Action]? {
        if listing.isRunning { return listNextPage() }
        guard listing.isAvailable else { return nil }
        let deep = tasks.singleCount
        // Once begun, further pages are listed until the queries of an interval are enough for what is left.
        areManyDeep = deep >= Self.manyDeepTasks || areManyDeep && deep > Self.readsPerInterval
        let singly = max(0, budget.unusedReads - deep)
        let isBlocked = !budget.allowsLists(now)
        // If one query is enough for the tasks, it costs one call like a list, and its answer is smaller.
        if isBlocked || tasks.listableCount <= min(tasksPerQuery, singly) && !areManyDeep {
            tasks.querySingly(singly)
            return nil
        }
        guard budget.hasListCall else { return nil }
        tasks.beginListing()
        let (awaited, unawaited) = tasks.unlistedCounts
        listing.begin(
            awaited: awaited, unawaited: unawaited, isDeepWanted: areManyDeep,
            fewTasks: budget.readLimit)
        return listNextPage()
    }

    private mutating func listNextPage() -> [Action]? {
        guard budget.hasListCall, let page = listing.takePage() else { return nil }
        budget.takeListCall()
        return [.list(page: page)]
    }

    /// Queries as many single tasks as the limits allow.
    private mutating func read() -> [Action] {
        let reads = tasks.beginReading(budget.allowedReads)
        budget.takeReads(reads.count)
        return reads.map(Action.read)
    }

    /// Records a page. Report those of its tasks that have ended by ``ended(_:)`` first.
    mutating func listed(_ found: [TaskID], isLast: Bool, now: MonotonicTime) -> [Action] {
        budget.listSucceeded()
        var actions: [Action] = []
        for task in found {
            if listing.isOnFirstPages { tasks.wasOnFirstPages(task) }
            actions += seen(task, now: now)
        }
        guard listing.isRunning else { return actions }
        if listing.listed(isLast: isLast, awaited: tasks.unlistedCounts.awaited) {
            tasks.endListing(areDeep: true, isListed: false)
        }
        return actions + read()
    }

    /// Records that a list call got no answer, 1302 or another error.
    mutating func listFailed(now: MonotonicTime) {
        budget.listFailed(now)
        listing.abandon()
        tasks.endListing(areDeep: false, isListed: listing.isAvailable)
    }

    /// Records that the account has no list: for a while, its tasks are queried one by one.
    mutating func listIsMissing(now: MonotonicTime) {
        listing.makeUnavailable(now: now)
        tasks.querySingly()
        tasks.endListing(areDeep: false, isListed: false)
    }
}
