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

/// The watched tasks of one account: when each is due, and what its checks have shown.
///
/// A task is due when its pause is over or something hints at it. It stays due until a check of it has ended.
struct WatchedTasks: Sendable {
    /// What the end of a task's check or watch changes.
    struct CheckEnd: Sendable, Equatable {
        /// Whether the task was being queried.
        var wasReading = false
        /// Whether the task is due again at once, because of a hint during the check.
        var isDueAgain = false
        /// Whether the task has become stuck, or is no longer stuck.
        var changesFlag = false
    }

    private struct Watch {
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
        var isDeep = false
        var isStuck: Bool

        /// - Returns: false if it is due already.
        mutating func fallDue() -> Bool {
            if isDue { return false }
            isDue = true
            bucket = nil
            return true
        }
    }

    private var watches: [TaskID: Watch] = [:]
    private var buckets: DueBuckets
    private var spread: Spread
    /// Whether something waits for every task, present or future.
    private var areAllAwaited = false

    /// - Parameter seed: the seed of the jitter between checks.
    init(seed: UInt64, now: MonotonicTime) {
        spread = Spread(seed: seed)
        buckets = DueBuckets(now: now)
    }

    // MARK: The set

    var count: Int { watches.count }

    func contains(_ task: TaskID) -> Bool { watches[task] != nil }

    /// Adds a task. Repeating it has no effect.
    mutating func insert(_ task: WatchedTask, now: MonotonicTime) {
        if watches[task.id] != nil { return }
        let isAwaited = task.isAwaited || areAllAwaited
        let pause = WatchPace.first(age: task.quietFor, isAwaited: isAwaited, &spread)
        let knownAt = now + (.zero - task.quietFor)
        var watch = Watch(
            since: knownAt, isAwaited: isAwaited, knownAt: knownAt, dueAt: now + pause, isStuck: task.isStuck)
        schedule(task.id, &watch)
        watches[task.id] = watch
    }

    /// Removes a task.
    /// - Returns: nil if it isn't watched.
    mutating func remove(_ task: TaskID) -> CheckEnd? {
        watches.removeValue(forKey: task).map { CheckEnd(wasReading: $0.isReading) }
    }

    /// Records that from now on, something waits for the end of every task. Repeating it has no effect.
    mutating func awaitAll(now: MonotonicTime) {
        if areAllAwaited { return }
        areAllAwaited = true
        for (task, var watch) in watches where !watch.isAwaited {
            watch.isAwaited = true
            let dueAt = now + WatchPace.first(age: now - watch.since, isAwaited: true, &spread)
            if !watch.isDue, !watch.isReading, dueAt < watch.dueAt {
                watch.dueAt = dueAt
                schedule(task, &watch)
            }
            watches[task] = watch
        }
    }

    // MARK: One task

    /// Whether something waits for the task's end.
    func isAwaited(_ task: TaskID) -> Bool { watches[task]?.isAwaited == true }

    /// Whether the first pages of the account's list don't have the task.
    func isDeep(_ task: TaskID) -> Bool { watches[task]?.isDeep == true }

    /// Records whether the first pages of the account's list lack the task.
    mutating func setDeep(_ isDeep: Bool, _ task: TaskID) { watches[task]?.isDeep = isDeep }

    /// Whether the task is due and not being queried.
    func isWaiting(_ task: TaskID) -> Bool { watches[task].map { $0.isDue && !$0.isReading } ?? false }

    // MARK: Falling due

    /// Returns the tasks that have become due since the last call.
    mutating func takeDue(_ now: MonotonicTime) -> [TaskID] {
        var due: [TaskID] = []
        for (bucket, tasks) in buckets.drain(now) {
            for task in tasks {
                guard var watch = watches[task], watch.bucket == bucket else { continue }
                watch.bucket = nil
                if watch.dueAt > now {
                    schedule(task, &watch)
                } else if !watch.isReading, watch.fallDue() {
                    // A task with a call in flight gets a new due time when the call ends.
                    due.append(task)
                }
                watches[task] = watch
            }
        }
        return due
    }

    /// Makes a task due, and due again after a call that is in flight.
    /// - Parameter isListing: whether list calls are being made, one of which may have read the task already.
    /// - Returns: whether the task has become due.
    mutating func hint(_ task: TaskID, isListing: Bool) -> Bool {
        guard var watch = watches[task] else { return false }
        watch.wasHinted = watch.wasHinted || watch.isReading || isListing
        let isNew = !watch.isReading && watch.fallDue()
        watches[task] = watch
        return isNew
    }

    /// Puts a task into the bucket of its due time, unless it is in an earlier one, which moves it on when it is
    /// drained.
    private mutating func schedule(_ task: TaskID, _ watch: inout Watch) {
        let bucket = buckets.bucket(for: watch.dueAt)
        if let present = watch.bucket, present <= bucket { return }
        watch.bucket = bucket
        buckets.insert(task, bucket)
    }

    // MARK: Checks

    /// Starts to query a task.
    /// - Returns: false if it is being queried already, or not watched.
    mutating func beginReading(_ task: TaskID) -> Bool {
        guard watches[task]?.isReading == false else { return false }
        watches[task]?.isReading = true
        return true
    }

    /// Ends a check: Kling has reported the task's current state.
    /// - Returns: nil if the task isn't watched.
    mutating func seen(_ task: TaskID, now: MonotonicTime) -> CheckEnd? {
        guard var watch = watches[task] else { return nil }
        let changesFlag = watch.isStuck
        watch.knownAt = now
        watch.isStuck = false
        let pause = WatchPace.pause(age: now - watch.since, isAwaited: watch.isAwaited)
        return endCheck(task, watch, pause, now, changesFlag: changesFlag)
    }

    /// Ends a check: Kling says that it doesn't know the task.
    /// - Returns: nil if the task isn't watched.
    mutating func notFound(_ task: TaskID, now: MonotonicTime) -> CheckEnd? {
        guard var watch = watches[task] else { return nil }
        let time = now - watch.knownAt
        let changesFlag = time >= WatchSchedule.stuckAfter && !watch.isStuck
        watch.isStuck = watch.isStuck || changesFlag
        return endCheck(task, watch, WatchPace.pause(unknownFor: time), now, changesFlag: changesFlag)
    }

    /// Ends a query without a usable answer.
    /// - Returns: nil if the task isn't being queried.
    mutating func readFailed(_ task: TaskID, now: MonotonicTime) -> CheckEnd? {
        guard let watch = watches[task], watch.isReading else { return nil }
        // Not retried at once, so that a task that can't be read doesn't hold up the others.
        let pause = watch.isAwaited ? WatchPace.awaited.upperBound : WatchPace.unawaited.lowerBound
        return endCheck(task, watch, pause, now, changesFlag: false)
    }

    /// The next check is after `pause`, with jitter, or at once if there was a hint in the meantime.
    private mutating func endCheck(
        _ task: TaskID, _ checked: Watch, _ pause: Duration, _ now: MonotonicTime, changesFlag: Bool
    ) -> CheckEnd {
        var watch = checked
        let end = CheckEnd(wasReading: watch.isReading, isDueAgain: watch.wasHinted, changesFlag: changesFlag)
        (watch.isReading, watch.isDue, watch.wasHinted) = (false, false, false)
        watch.dueAt = now + spread.around(pause)
        if end.isDueAgain { _ = watch.fallDue() } else { schedule(task, &watch) }
        watches[task] = watch
        return end
    }
}
