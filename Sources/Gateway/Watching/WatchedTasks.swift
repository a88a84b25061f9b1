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
        /// Whether the task is due again at once, because of a hint during the check. It has to be enqueued.
        var isDueAgain = false
        /// Whether the task has become stuck, or is no longer stuck.
        var changesFlag = false
    }

    private var table: WatchTable
    private var spread: Spread
    /// Whether something waits for every task, present or future.
    private var areAllAwaited = false

    /// - Parameter seed: the seed of the jitter between checks.
    init(seed: UInt64, now: MonotonicTime) {
        spread = Spread(seed: seed)
        table = WatchTable(now: now)
    }

    // MARK: The set

    var count: Int { table.count }

    func contains(_ task: TaskID) -> Bool { table.place(of: task) != nil }

    /// The task that Kling knows by this id.
    func task(upstreamID: String) -> TaskID? { table.place(upstreamID: upstreamID).map(table.task) }

    /// Kling's id of a task; nil if it isn't watched.
    func upstreamID(of task: TaskID) -> String? { table.place(of: task).map(table.upstreamID) }

    /// Adds a task. Repeating it has no effect.
    mutating func insert(_ task: WatchedTask, upstreamID: String, now: MonotonicTime) {
        if contains(task.id) { return }
        let isAwaited = task.isAwaited || areAllAwaited
        let pause = WatchPace.first(age: task.quietFor, isAwaited: isAwaited, &spread)
        let knownAt = now + (.zero - task.quietFor)
        var marks: Watch.Marks = task.isStuck ? .stuck : []
        if isAwaited { marks.insert(.awaited) }
        let place = table.insert(
            task.id, upstreamID: upstreamID, Watch(since: knownAt, knownAt: knownAt, marks: marks))
        table.move(place, toBucket: table.bucket(of: now + pause))
    }

    /// Removes a task.
    /// - Returns: nil if it isn't watched.
    mutating func remove(_ task: TaskID) -> CheckEnd? {
        guard let place = table.place(of: task) else { return nil }
        defer { table.remove(at: place) }
        return CheckEnd(wasReading: table[place].marks.contains(.reading))
    }

    /// Records that from now on, something waits for the end of every task. Repeating it has no effect.
    mutating func awaitAll(now: MonotonicTime) {
        if areAllAwaited { return }
        areAllAwaited = true
        for place in table.places where !table[place].marks.contains(.awaited) {
            table[place].marks.insert(.awaited)
            let pause = WatchPace.first(age: now - table[place].since, isAwaited: true, &spread)
            let bucket = table.bucket(of: now + pause)
            if !table[place].isDue, bucket < table[place].bucket { table.move(place, toBucket: bucket) }
        }
    }

    // MARK: Falling due

    /// Puts the tasks that have become due since the last call into lists.
    /// - Parameter isListed: whether the account's list may be requested.
    mutating func fallDue(_ now: MonotonicTime, isListed: Bool) {
        table.drain(now) { Self.enqueue($1, isListed: isListed, in: &$0) }
    }

    /// Makes a task due, and due again after a call that is in flight.
    /// - Parameters:
    ///   - isListing: whether list calls are being made, one of which may have read the task already.
    ///   - isListed: whether the account's list may be requested.
    mutating func hint(_ task: TaskID, isListing: Bool, isListed: Bool) {
        guard let place = table.place(of: task) else { return }
        if isListing || table[place].marks.contains(.reading) { table[place].marks.insert(.hinted) }
        if !table[place].isDue { Self.enqueue(place, isListed: isListed, in: &table) }
    }

    /// Puts a due task into the list of those that a list call may return, or of those to query.
    /// - Parameter isListed: whether the account's list may be requested.
    mutating func enqueue(_ task: TaskID, isListed: Bool) {
        if let place = table.place(of: task) { Self.enqueue(place, isListed: isListed, in: &table) }
    }

    private static func enqueue(_ place: Int, isListed: Bool, in table: inout WatchTable) {
        if isListed, !table[place].marks.contains(.deep) {
            table.move(place, to: .listable)
        } else {
            table.move(place, to: table[place].marks.contains(.awaited) ? .awaited : .unawaited)
        }
    }

    // MARK: Lists of due tasks

    /// One in this many queries is reserved for tasks that nothing waits for.
    private static let unawaitedShare = 5

    /// How many due tasks a list call may return.
    var listableCount: Int { table.count(in: .listable) }

    /// How many due tasks are to be queried one by one.
    var singleCount: Int { table.count(in: .awaited) + table.count(in: .unawaited) }

    /// How many tasks were on no page so far of the lists that are being read.
    var unlistedCounts: (awaited: Int, unawaited: Int) {
        (table.count(in: .unlistedAwaited), table.count(in: .unlisted))
    }

    /// Lets up to `limit` tasks that a list call may return be queried one by one instead.
    mutating func querySingly(_ limit: Int = .max) {
        for _ in 0..<min(limit, listableCount) {
            guard let place = table.first(in: .listable) else { return }
            Self.enqueue(place, isListed: false, in: &table)
        }
    }

    /// Starts to look for all tasks that a list call may return in lists.
    mutating func beginListing() {
        while let place = table.first(in: .listable) {
            table.move(place, to: table[place].marks.contains(.awaited) ? .unlistedAwaited : .unlisted)
        }
    }

    /// Ends the search for tasks in lists. Those that were on no page so far are put back, the oldest first.
    /// - Parameters:
    ///   - areDeep: whether they are not on the first pages.
    ///   - isListed: whether the account's list may be requested.
    mutating func endListing(areDeep: Bool, isListed: Bool) {
        var unlisted: [(task: TaskID, place: Int)] = []
        for list in [WatchList.unlistedAwaited, .unlisted] {
            var place = table.first(in: list)
            while let this = place {
                unlisted.append((table.task(at: this), this))
                place = table.next(after: this)
            }
        }
        unlisted.sort { $0.task < $1.task }
        for (_, place) in unlisted {
            if areDeep { table[place].marks.insert(.deep) }
            Self.enqueue(place, isListed: isListed, in: &table)
        }
    }

    /// Records that one of the first pages of the account's list has the task.
    mutating func wasOnFirstPages(_ task: TaskID) {
        if let place = table.place(of: task) { table[place].marks.remove(.deep) }
    }

    /// Starts to query up to `limit` tasks, most of them awaited ones.
    mutating func beginReading(_ limit: Int) -> [TaskID] {
        let kept = min(table.count(in: .unawaited), limit / Self.unawaitedShare)
        var tasks: [TaskID] = []
        for (list, limit) in [(WatchList.awaited, limit - kept), (.unawaited, limit)] {
            while tasks.count < limit, let place = table.first(in: list) {
                table.move(place, to: .none)
                table[place].marks.insert(.reading)
                tasks.append(table.task(at: place))
            }
        }
        return tasks
    }

    // MARK: Checks

    /// Ends a check: Kling has reported the task's current state.
    /// - Returns: nil if the task isn't watched.
    mutating func seen(_ task: TaskID, now: MonotonicTime) -> CheckEnd? {
        guard let place = table.place(of: task) else { return nil }
        let changesFlag = table[place].marks.contains(.stuck)
        table[place].knownAt = now
        table[place].marks.remove(.stuck)
        let pause = WatchPace.pause(
            age: now - table[place].since, isAwaited: table[place].marks.contains(.awaited))
        return endCheck(place, pause, now, changesFlag: changesFlag)
    }

    /// Ends a check: Kling says that it doesn't know the task.
    /// - Returns: nil if the task isn't watched.
    mutating func notFound(_ task: TaskID, now: MonotonicTime) -> CheckEnd? {
        guard let place = table.place(of: task) else { return nil }
        let time = now - table[place].knownAt
        let changesFlag = time >= WatchSchedule.stuckAfter && !table[place].marks.contains(.stuck)
        if changesFlag { table[place].marks.insert(.stuck) }
        return endCheck(place, WatchPace.pause(unknownFor: time), now, changesFlag: changesFlag)
    }

    /// Ends a query without a usable answer.
    /// - Returns: nil if the task isn't being queried.
    mutating func readFailed(_ task: TaskID, now: MonotonicTime) -> CheckEnd? {
        guard let place = table.place(of: task), table[place].marks.contains(.reading) else { return nil }
        // Not retried at once, so that a task that can't be read doesn't hold up the others.
        let isAwaited = table[place].marks.contains(.awaited)
        let pause = isAwaited ? WatchPace.awaited.upperBound : WatchPace.unawaited.lowerBound
        return endCheck(place, pause, now, changesFlag: false)
    }

    /// The next check is after `pause`, with jitter. If there was a hint in the meantime, the task has to be enqueued.
    private mutating func endCheck(
        _ place: Int, _ pause: Duration, _ now: MonotonicTime, changesFlag: Bool
    ) -> CheckEnd {
        let marks = table[place].marks
        let end = CheckEnd(
            wasReading: marks.contains(.reading), isDueAgain: marks.contains(.hinted), changesFlag: changesFlag)
        table[place].marks.subtract([.reading, .hinted])
        let dueAt = now + spread.around(pause)
        if end.isDueAgain {
            table.move(place, to: .none)
        } else {
            table.move(place, toBucket: table.bucket(of: dueAt))
        }
        return end
    }
}
