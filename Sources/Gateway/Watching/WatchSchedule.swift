internal import Base
internal import TaskStore

/// A task that Kling has and that hasn't ended.
struct WatchedTask: Sendable {
    let id: TaskID
    /// Whether somebody waits for its end without asking for the task: a callback, a held answer, whoever gets its slot.
    var isAwaited: Bool
    /// How long ago Kling took it, or last said something new of it. Time in the queue does not count: a task is as
    /// young as its work.
    var quietFor: Duration
    /// Whether the operator knows that it is stuck.
    var isStuck = false
}

/// When the unfinished tasks of one account are looked at, each until its end: events in, actions out.
///
/// Many tasks are looked at by one list call; few, and those that the first pages don't have, one by one. Nothing that
/// fails ends a task or takes it off the schedule: failed calls only slow the account's watching down.
struct WatchSchedule: Sendable {
    enum Action: Equatable {
        /// List that page of the account's tasks, newest first, ``pageSize`` a page; report `listed`, `listFailed` or
        /// `listIsMissing`.
        case list(page: Int)
        /// Ask for one task, in one call with up to ``tasksPerQuery`` others; report `seen`, `ended`, `notFound` or `readFailed`.
        case read(TaskID)
        /// Kling hasn't known the task for ``stuckAfter``: tell the operator.
        case flag(TaskID)
        /// Kling knows the task again.
        case clearFlag(TaskID)
    }

    /// What the bounds on calls refer to: one list call, and ``readsPerInterval``.
    static let interval = Duration.seconds(1)
    /// How many tasks a page has.
    static let pageSize = 500
    /// The most pages that Kling has.
    static let lastPage = 1000
    /// The most calls for single tasks in an interval, and at once.
    static let readsPerInterval = 5
    /// Of those, one in so many is kept for tasks that nobody waits for.
    static let sweepShare = 5
    /// From so many tasks on that the first pages don't have, further pages are listed in turn.
    static let manyDeepTasks = 10 * readsPerInterval
    /// How long an account that says that it has no list is not asked for it: some resellers have none, but a proxy that is
    /// being changed may say so too.
    static let listRest = Duration.seconds(60 * 60)
    /// How long Kling may not know a task before that is the operator's business.
    static let stuckAfter = Duration.seconds(24 * 60 * 60)

    /// What is known of a task.
    struct Watch: Sendable {
        /// When its work began, as far as is known.
        let since: MonotonicTime
        var isAwaited: Bool
        /// When Kling last named it.
        var knownAt: MonotonicTime
        var dueAt: MonotonicTime
        /// Where in `buckets` it is; an entry elsewhere means nothing.
        var bucket: Int64?
        var isDue = false
        var isReading = false
        /// Whether it must be looked at once more after the call under way.
        var wasHinted = false
        /// Whether the first pages don't have it.
        var isDeep = false
        var isStuck: Bool
    }

    /// How many tasks one call may ask for.
    var tasksPerQuery = 1
    /// The most tasks that are asked for one by one in an interval, and at once.
    var readLimit: Int { Self.readsPerInterval * tasksPerQuery }

    // Shared between the two files of the type, and with nobody else.
    var watches: [TaskID: Watch] = [:]
    var buckets: DueBuckets
    var spread: Spread
    var listing: ListRun?
    /// The page with which `listing` goes on when the bounds allow; nil while a list call is under way.
    var nextPage: Int?
    /// Until when the account's tasks are asked for one by one, because it has no list.
    var noListUntil: MonotonicTime?
    var deepPage = 2
    /// Due tasks that a list call may have.
    var shallow = TaskLine()
    /// Due tasks that are asked for one by one.
    var awaited = TaskLine()
    var swept = TaskLine()
    var intervalEnd: MonotonicTime
    /// Whether somebody waits for each task, because only so many run there at once.
    private var isLimited = false
    var mayList = true
    var reads = 0
    var readsUnderWay = 0
    var calls = Backoff(shortest: .seconds(2))
    // Longer, so that tasks are asked for one by one where only the list fails.
    var lists = Backoff(shortest: .seconds(4))

    /// - Parameter seed: what the spread of the looks is made from.
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

    /// A task is to be watched. To repeat it changes nothing.
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

    /// Only so many tasks run there at once: from now on somebody waits for the end of each. To repeat it changes nothing.
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

    /// Something may have happened to the task: it is looked at with the next tick, and after a call under way.
    mutating func hint(_ task: TaskID) {
        guard var watch = watches[task] else { return }
        watch.wasHinted = watch.wasHinted || watch.isReading || listing != nil
        if !watch.isReading { fallDue(task, &watch) }
        watches[task] = watch
    }

    /// Kling has said what there is to say of the task, whoever asked.
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

    /// The task has ended, whoever noticed.
    mutating func ended(_ task: TaskID) {
        guard let watch = watches.removeValue(forKey: task) else { return }
        if watch.isReading {
            readsUnderWay -= 1
            calls.succeeded()
        }
        listing?.remove(task)
    }

    /// Kling says that it doesn't know the task, which proves nothing.
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

    /// A look is over, whatever it brought: the next is at `dueAt`, or at once if there was a hint meanwhile.
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
