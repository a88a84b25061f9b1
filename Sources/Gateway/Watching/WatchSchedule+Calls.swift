internal import Base
internal import TaskStore

/// Which tasks are due, and which calls to make for them.
extension WatchSchedule {
    /// Puts a task into the bucket of its due time, unless it is in an earlier one, which moves it on when it is
    /// drained.
    mutating func enter(_ task: TaskID, _ watch: inout Watch) {
        let bucket = buckets.bucket(for: watch.dueAt)
        if let present = watch.bucket, present <= bucket { return }
        watch.bucket = bucket
        buckets.insert(task, bucket)
    }

    /// Marks a task as due: it is checked as soon as the limits allow.
    mutating func fallDue(_ task: TaskID, _ watch: inout Watch) {
        if watch.isDue { return }
        watch.isDue = true
        watch.bucket = nil
        line(task, watch)
    }

    private mutating func line(_ task: TaskID, _ watch: Watch) {
        if noListUntil == nil && !watch.isDeep {
            shallow.append(task)
        } else if watch.isAwaited {
            awaited.append(task)
        } else {
            swept.append(task)
        }
    }

    private mutating func drain(_ now: MonotonicTime) {
        for (bucket, tasks) in buckets.drain(now) {
            for task in tasks {
                guard var watch = watches[task], watch.bucket == bucket else { continue }
                watch.bucket = nil
                // A task with a call in flight gets a new due time when the call ends.
                if watch.dueAt > now { enter(task, &watch) } else if !watch.isReading { fallDue(task, &watch) }
                watches[task] = watch
            }
        }
    }

    /// Whether a task is due and has no call in flight. The closure captures only the tasks, so that it can be used
    /// while a line is changed.
    private var isWaiting: (TaskID) -> Bool {
        { [watches] task in watches[task].map { $0.isDue && !$0.isReading } ?? false }
    }

    // MARK: Calls

    /// Returns the calls to make now. It may be called at any time; the limits apply per ``interval``.
    mutating func tick(now: MonotonicTime) -> [Action] {
        if let time = noListUntil, now >= time { noListUntil = nil }
        drain(now)
        if now >= intervalEnd {
            intervalEnd = now + Self.interval
            (mayList, reads) = (true, 0)
        }
        guard calls.isOver(now) else { return [] }
        if let list = list(now) { return calls.isProbing ? list : list + read() }
        return read()
    }

    /// Starts to list pages if enough tasks are due, or continues to.
    private mutating func list(_ now: MonotonicTime) -> [Action]? {
        if listing != nil { return listNextPage() }
        guard noListUntil == nil else { return nil }
        let deep = awaited.count + swept.count
        let singly = max(0, readLimit - max(reads, readsUnderWay) - deep)
        let isBlocked = !lists.isOver(now)
        let due = shallow.take(isBlocked ? singly : .max, where: isWaiting)
        // If one query is enough for the tasks, it costs one call like a list, and its answer is smaller.
        if isBlocked || due.count <= min(tasksPerQuery, singly) && deep < Self.manyDeepTasks {
            for task in due { lineSingly(task) }
            return nil
        }
        guard mayList else {
            for task in due { shallow.append(task) }
            return nil
        }
        var run = ListRun(
            awaited: due.filter { watches[$0]?.isAwaited == true },
            swept: due.filter { watches[$0]?.isAwaited == false },
            isDeepWanted: deep >= Self.manyDeepTasks, deepPage: deepPage, fewTasks: readLimit)
        nextPage = run.next(isLast: false)
        listing = run
        return listNextPage()
    }

    private mutating func listNextPage() -> [Action]? {
        guard mayList, let page = nextPage.take() else { return nil }
        mayList = false
        return [.list(page: page)]
    }

    private mutating func lineSingly(_ task: TaskID) {
        if watches[task]?.isAwaited == true { awaited.append(task) } else { swept.append(task) }
    }

    /// Queries as many single tasks as the limits allow, most of them awaited ones.
    private mutating func read() -> [Action] {
        let bound = calls.isProbing ? 1 : readLimit
        let limit = max(0, bound - max(reads, readsUnderWay))
        let kept = min(swept.count, limit / Self.sweepShare)
        var tasks = awaited.take(limit - kept, where: isWaiting)
        tasks += swept.take(limit - tasks.count, where: isWaiting)
        var actions: [Action] = []
        for task in tasks where watches[task]?.isReading == false {
            watches[task]?.isReading = true
            actions.append(.read(task))
        }
        reads += actions.count
        readsUnderWay += actions.count
        return actions
    }

    /// Records a page. Report those of its tasks that have ended by ``ended(_:)`` first.
    mutating func listed(_ found: [TaskID], isLast: Bool, now: MonotonicTime) -> [Action] {
        calls.succeeded()
        lists.succeeded()
        var actions: [Action] = []
        for task in found {
            watches[task]?.isDeep = false
            actions += seen(task, now: now)
        }
        guard var run = listing else { return actions }
        nextPage = run.next(isLast: isLast)
        for task in run.takeMissed(atEnd: nextPage == nil) where isWaiting(task) {
            watches[task]?.isDeep = true
            lineSingly(task)
        }
        deepPage = run.deepPage
        listing = nextPage == nil ? nil : run
        return actions + read()
    }

    /// Records that a list call got no answer, 1302 or another error.
    mutating func listFailed(now: MonotonicTime) {
        calls.failed(now, &spread)
        lists.failed(now, &spread)
        endListing()
    }

    /// Records that the account has no list: for ``listRetryInterval``, its tasks are queried one by one.
    mutating func listIsMissing(now: MonotonicTime) {
        noListUntil = now + Self.listRetryInterval
        endListing()
        for task in shallow.take(where: isWaiting) { lineSingly(task) }
    }

    private mutating func endListing() {
        guard let run = listing else { return }
        (listing, nextPage) = (nil, nil)
        for task in run.missing where isWaiting(task) { shallow.append(task) }
    }

    /// Records that a query of a task got no answer, 1302 or another error.
    mutating func readFailed(_ task: TaskID, now: MonotonicTime) {
        calls.failed(now, &spread)
        guard var watch = watches[task], watch.isReading else { return }
        // Not retried at once, so that a task that can't be read doesn't hold up the others.
        let pause = watch.isAwaited ? WatchPace.awaited.upperBound : WatchPace.swept.lowerBound
        looked(task, &watch, now + spread.around(pause))
        watches[task] = watch
    }
}
