internal import Base
internal import TaskStore

/// A task that Kling has and that hasn't ended.
struct WatchedTask: Sendable {
    let id: TaskID
    /// Whether something waits for its end without querying the task: a callback, a held answer, or a create that needs
    /// its slot.
    var isAwaited: Bool
    /// How long ago Kling accepted it, or last said something new about it. Time in the queue does not count: a task is
    /// as old as its work.
    var quietFor: Duration
    /// Whether the operator has been told that it is stuck.
    var isStuck = false
}

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
    /// One in this many of them is reserved for tasks that nothing waits for.
    static let sweepShare = 5
    /// If at least this many due tasks are not on the first pages, further pages are listed in turn.
    static let manyDeepTasks = 10 * readsPerInterval
    /// How long an account that says that it has no list is not asked for one. Some resellers have none, but a proxy
    /// that is being reconfigured may say so too.
    static let listRetryInterval = Duration.seconds(60 * 60)
    /// How long Kling may not know a task before the operator is told.
    static let stuckAfter = Duration.seconds(24 * 60 * 60)

    /// What is known about a task.
    struct Watch: Sendable {
        /// When Kling accepted it, or last said something new before it was watched.
        let since: MonotonicTime
        var isAwaited: Bool
        /// When Kling last reported it.
        var knownAt: MonotonicTime
        var dueAt: MonotonicTime
        /// The bucket in `buckets` that it is in; its entries in other buckets are stale.
        var bucket: Int64?
        var isDue = false
        var isReading = false
        /// Whether it must be checked again after the call in flight.
        var wasHinted = false
        /// Whether the first pages don't have it.
        var isDeep = false
        var isStuck: Bool
    }

    /// How many tasks one call may ask for.
    var tasksPerQuery = 1
    /// The most tasks that are queried one by one in an interval, and the most in flight.
    var readLimit: Int { Self.readsPerInterval * tasksPerQuery }

    // Internal only because the type has two files; nothing else uses these.
    var watches: [TaskID: Watch] = [:]
    var buckets: DueBuckets
    var spread: Spread
    var listing: ListRun?
    /// The page that `listing` continues with when the limits allow; nil while a list call is in flight.
    var nextPage: Int?
    /// Until when tasks are queried one by one, because the account has no list.
    var noListUntil: MonotonicTime?
    var deepPage = 2
    /// Due tasks that a list call may return.
    var shallow = TaskLine()
    /// Due tasks that are queried one by one: those that something waits for, and the others.
    var awaited = TaskLine()
    var swept = TaskLine()
    var intervalEnd: MonotonicTime
    /// Whether something waits for every task, because the account limits how many run at once.
    private var isLimited = false
    var mayList = true
    var reads = 0
    var readsUnderWay = 0
    var calls = Backoff(shortest: .seconds(2))
    // Longer, so that tasks are queried one by one if only the list fails.
    var lists = Backoff(shortest: .seconds(4))

    /// - Parameter seed: the seed of the jitter between checks.
    init(seed: UInt64, now: MonotonicTime) {
        spread = Spread(seed: seed)
        buckets = DueBuckets(now: now)
        intervalEnd = now
    }

    /// How many tasks are watched.
    var count: Int { watches.count }

    /// Whether a task is watched.
    func contains(_ task: TaskID) -> Bool { watches[task] != nil }

    // MARK: Tasks

    /// Starts to watch a task. Repeating it has no effect.
    mutating func watch(_ task: WatchedTask, now: MonotonicTime) {
        if watches[task.id] != nil { return }
        let isAwaited = task.isAwaited || isLimited
        let pause = WatchPace.first(age: task.quietFor, isAwaited: isAwaited, &spread)
        let knownAt = now + (.zero - task.quietFor)
        var watch = Watch(
            since: knownAt, isAwaited: isAwaited, knownAt: knownAt, dueAt: now + pause, isStuck: task.isStuck)
        enter(task.id, &watch)
        watches[task.id] = watch
    }

    /// Records that the account limits how many tasks run at once: from now on, something waits for the end of every
    /// task. Repeating it has no effect.
    mutating func limit(now: MonotonicTime) {
        if isLimited { return }
        isLimited = true
        for (task, var watch) in watches where !watch.isAwaited {
            watch.isAwaited = true
            let dueAt = now + WatchPace.first(age: now - watch.since, isAwaited: true, &spread)
            if !watch.isDue, !watch.isReading, dueAt < watch.dueAt {
                watch.dueAt = dueAt
                enter(task, &watch)
            }
            watches[task] = watch
        }
    }

    /// Has a task checked at the next tick, and again after a call in flight, because something may have happened to
    /// it.
    mutating func hint(_ task: TaskID) {
        guard var watch = watches[task] else { return }
        watch.wasHinted = watch.wasHinted || watch.isReading || listing != nil
        if !watch.isReading { fallDue(task, &watch) }
        watches[task] = watch
    }

    /// Records that Kling has reported the task's current state, however the gateway learned it.
    mutating func seen(_ task: TaskID, now: MonotonicTime) -> [Action] {
        guard var watch = watches[task] else { return [] }
        if watch.isReading { calls.succeeded() }
        let wasStuck = watch.isStuck
        watch.knownAt = now
        watch.isStuck = false
        let pause = WatchPace.pause(age: now - watch.since, isAwaited: watch.isAwaited)
        looked(task, &watch, now + spread.around(pause))
        watches[task] = watch
        return wasStuck ? [.clearFlag(task)] : []
    }

    /// Records that the task has ended, however this was noticed.
    mutating func ended(_ task: TaskID) {
        guard let watch = watches.removeValue(forKey: task) else { return }
        if watch.isReading {
            readsUnderWay -= 1
            calls.succeeded()
        }
        listing?.remove(task)
    }

    /// Records that Kling says that it doesn't know the task, which proves nothing.
    mutating func notFound(_ task: TaskID, now: MonotonicTime) -> [Action] {
        calls.succeeded()
        guard var watch = watches[task] else { return [] }
        let time = now - watch.knownAt
        let isNews = time >= Self.stuckAfter && !watch.isStuck
        watch.isStuck = watch.isStuck || isNews
        looked(task, &watch, now + spread.around(WatchPace.pause(unknownFor: time)))
        watches[task] = watch
        return isNews ? [.flag(task)] : []
    }

    /// Ends a check, whatever its outcome: the next one is at `dueAt`, or at once if there was a hint meanwhile.
    mutating func looked(_ task: TaskID, _ watch: inout Watch, _ dueAt: MonotonicTime) {
        if watch.isReading { readsUnderWay -= 1 }
        watch.isReading = false
        watch.isDue = false
        watch.dueAt = dueAt
        listing?.remove(task)
        if watch.wasHinted {
            watch.wasHinted = false
            fallDue(task, &watch)
        } else {
            enter(task, &watch)
        }
    }
}
