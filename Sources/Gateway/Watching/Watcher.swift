internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// Watches the unfinished tasks of all accounts from one loop, and makes the calls that the accounts' schedules ask
/// for.
///
/// Any thread may call its functions, unless they say otherwise. Stop it before releasing it.
final class Watcher: @unchecked Sendable {
    // @unchecked: mutable state is accessed only on the loop's thread, by code that the loop runs or that asserts it;
    // `reports` is behind a lock.

    /// A report from another thread. It is applied at the next tick, so that a report alone does not wake the loop. If
    /// there are many, they are applied at once, so that their memory is bounded.
    private enum Report {
        case watch(WatchedTask, upstreamID: String, account: String, at: MonotonicTime)
        case seen(TaskID, TaskProgress, at: MonotonicTime)
        case limited(account: String, at: MonotonicTime)
    }

    /// An account's schedule. It is an object, so that asking every account for a task copies no schedule.
    private final class Watched {
        let name: String
        var schedule: WatchSchedule

        init(_ name: String, _ schedule: WatchSchedule) { (self.name, self.schedule) = (name, schedule) }
    }

    /// The pause between ticks. It is longer than an interval by more than the resolution of the loop's clock, so that
    /// the interval has always passed at the next tick.
    private static let pause = WatchSchedule.interval + .milliseconds(20)

    private static let manyReports = 1024

    private let reports = Lock<[Report]>([])
    private let loop: EventLoop
    private let reader: any TaskReader
    private let seed: UInt64
    private let clock: @Sendable () -> MonotonicTime
    /// The accounts that have had tasks. They are few: comparing their names is cheaper than hashing one.
    private var accounts: [Watched] = []
    private var timer: Timer?
    private var isStopped = false

    /// - Parameters:
    ///   - seed: the seed of the jitter between checks.
    ///   - clock: the current time; tests pass their own.
    init(
        reader: any TaskReader, on loop: EventLoop, seed: UInt64,
        clock: @escaping @Sendable () -> MonotonicTime = { .now }
    ) {
        self.reader = reader
        self.loop = loop
        self.seed = seed
        self.clock = clock
    }

    /// Starts to tick, once per interval.
    func start() {
        loop.execute { [self] in
            if isStopped { return }
            let timer = Timer(loop: loop) { [unowned self] in
                Origin.$bound.withValue(.watching) { tick() }
                self.timer?.arm(after: Self.pause)
            }
            timer.arm(after: Self.pause)
            self.timer = timer
        }
    }

    /// Stops making calls. The results of calls in flight are still stored.
    func stop() async {
        await loop.run { [self] in
            isStopped = true
            timer = nil
        }
    }

    // MARK: Tasks

    /// Watches a task of an account until it ends. Kling knows the task by `upstreamID`, and has just answered about
    /// it.
    func watch(_ task: WatchedTask, upstreamID: String, of account: String) {
        report(.watch(task, upstreamID: upstreamID, account: account, at: clock()))
    }

    /// Checks a task now, within the limits on calls, because something may have happened to it.
    func hint(_ task: TaskID) {
        loop.execute { [self] in
            applyReports()
            guard let account = account(of: task) else { return }
            named(account)?.schedule.hint(task)
            tick(account)
        }
    }

    /// Records what Kling has told another part of the gateway about a task; this counts as a check.
    func seen(_ task: TaskID, _ progress: TaskProgress) {
        report(.seen(task, progress, at: clock()))
    }

    /// Records that the account limits how many tasks run at once, so that every task's end matters to others.
    func limited(_ account: String) {
        report(.limited(account: account, at: clock()))
    }

    private func report(_ report: Report) {
        let areMany = reports.withLock { reports in
            reports.append(report)
            return reports.count == Self.manyReports
        }
        if areMany { loop.execute { [self] in applyReports() } }
    }

    private func applyReports() {
        let arrived = reports.withLock { reports in
            defer { reports.removeAll() }
            return reports
        }
        for one in arrived {
            switch one {
            case .watch(let task, let upstreamID, let account, let time): add(task, upstreamID, account, time)
            case .seen(let task, let progress, let time):
                if let account = account(of: task) { perform(note(task, progress, at: time, account), account) }
            case .limited(let account, let time):
                watched(account, time).schedule.limit(now: time)
            }
        }
    }

    private func add(_ task: WatchedTask, _ upstreamID: String, _ account: String, _ time: MonotonicTime) {
        if let home = self.account(of: task.id) { return perform(note(task.id, .unfinished, at: time, home), home) }
        watched(account, time).schedule.watch(task, upstreamID: upstreamID, now: time)
    }

    private func watched(_ account: String, _ now: MonotonicTime) -> Watched {
        if let known = named(account) { return known }
        let watched = Watched(account, WatchSchedule(seed: seed &+ UInt64(accounts.count), now: now))
        accounts.append(watched)
        return watched
    }

    private func named(_ account: String) -> Watched? { accounts.first { $0.name == account } }

    /// The account whose schedule has a task: each is asked, as accounts are few.
    private func account(of task: TaskID) -> String? { accounts.first { $0.schedule.contains(task) }?.name }

    /// How many tasks are watched. Call it on the loop's thread.
    var count: Int {
        loop.assertCurrent()
        applyReports()
        return accounts.reduce(0) { $0 + $1.schedule.count }
    }

    /// Makes the calls that are due. Call it on the loop's thread, once per interval.
    func tick() {
        loop.assertCurrent()
        applyReports()
        for account in accounts.map(\.name).sorted() { tick(account) }
    }

    private func tick(_ account: String) {
        named(account)?.schedule.tasksPerQuery = reader.tasksPerQuery(account)
        perform(named(account)?.schedule.tick(now: clock()) ?? [], account)
    }

    private func note(
        _ task: TaskID, _ progress: TaskProgress, at time: MonotonicTime, _ account: String
    ) -> [WatchSchedule.Action] {
        guard progress == .ended else { return named(account)?.schedule.seen(task, now: time) ?? [] }
        named(account)?.schedule.ended(task)
        return []
    }

    // MARK: Calls

    private func perform(_ actions: [WatchSchedule.Action], _ account: String) {
        loop.assertCurrent()
        if isStopped { return }
        var reads: [TaskID] = []
        for action in actions {
            switch action {
            case .list(let page): loop.spawn { [self] in await list(page, of: account) }
            case .read(let task): reads.append(task)
            case .flag(let task): loop.spawn { [reader] in await reader.flag(task, isStuck: true) }
            case .clearFlag(let task): loop.spawn { [reader] in await reader.flag(task, isStuck: false) }
            }
        }
        let size = named(account)?.schedule.tasksPerQuery ?? 1
        for start in stride(from: 0, to: reads.count, by: size) {
            let tasks = Array(reads[start..<min(start + size, reads.count)])
            loop.spawn { [self] in await read(tasks, of: account) }
        }
    }

    private func list(_ number: Int, of account: String) async {
        do {
            let page = try await reader.list(account, page: number)
            loop.assertCurrent()
            let found = page.tasks.compactMap { object in
                object.taskID.flatMap { named(account)?.schedule.task(upstreamID: $0) }.map {
                    FoundTask(id: $0, object: object)
                }
            }
            let progress = found.isEmpty ? [] : await reader.found(found)
            var unfinished: [TaskID] = []
            for (task, progress) in zip(found, progress) {
                if progress == .ended {
                    _ = note(task.id, progress, at: clock(), account)
                } else {
                    unfinished.append(task.id)
                }
            }
            let actions = named(account)?.schedule.listed(unfinished, isLast: page.isLast, now: clock())
            perform(actions ?? [], account)
        } catch .noList {
            named(account)?.schedule.listIsMissing(now: clock())
        } catch {
            named(account)?.schedule.listFailed(now: clock())
        }
    }

    private func read(_ tasks: [TaskID], of account: String) async {
        let watched = tasks.compactMap { task in
            named(account)?.schedule.upstreamID(of: task).map { WatchedID(id: task, upstreamID: $0) }
        }
        for (task, reading) in zip(watched, await reader.query(account, watched)) {
            switch reading {
            case .found(let object):
                let progress = await reader.found([FoundTask(id: task.id, object: object)])
                perform(note(task.id, progress.first ?? .unfinished, at: clock(), account), account)
            case .unknown: perform(named(account)?.schedule.notFound(task.id, now: clock()) ?? [], account)
            case .failed: named(account)?.schedule.readFailed(task.id, now: clock())
            }
        }
    }
}
