import Base
import TaskStore

@testable import Gateway

/// An account at a simulated Kling, watched by a schedule in simulated time.
struct WatchedAccount {
    static let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    var schedule: WatchSchedule
    var now = WatchedAccount.start
    /// The tasks that Kling has, newest first.
    var list: [TaskID] = []
    /// The tasks that Kling says it doesn't know.
    var unknown: Set<TaskID> = []
    /// The tasks that can't be read.
    var broken: Set<TaskID> = []
    var isDown = false
    var failsLists = false
    var hasNoList = false
    private(set) var flags: [WatchSchedule.Action] = []
    /// When each task was checked.
    private(set) var looks: [TaskID: [Double]] = [:]
    private(set) var calls: [WatchSchedule.Action] = []
    private var ids = TaskIDGenerator()

    init(seed: UInt64 = 1) {
        schedule = WatchSchedule(seed: seed, now: now)
    }

    var seconds: Double { (now - Self.start).seconds }
    var lists: [WatchSchedule.Action] { calls.filter { if case .list = $0 { true } else { false } } }

    @discardableResult
    mutating func watch(
        _ count: Int, awaited: Bool, quietFor: Duration = .zero
    ) -> [TaskID] {
        let made = (0..<count).map { _ in ids.next(at: 1) }
        list = made.reversed() + list
        for id in made {
            let task = WatchedTask(id: id, isAwaited: awaited, quietFor: quietFor)
            schedule.watch(task, upstreamID: id.description, now: now)
        }
        return made
    }

    /// Adds newer tasks that are not watched, which move the others to later pages.
    mutating func bury(under count: Int) { list = (0..<count).map { _ in ids.next(at: 1) } + list }

    /// Advances the time, by default by a tick, and returns the calls that were made then.
    @discardableResult
    mutating func tick(after duration: Duration = WatchSchedule.interval + .milliseconds(20)) -> [WatchSchedule.Action]
    {
        now = now + duration
        calls = []
        perform(schedule.tick(now: now))
        return calls
    }

    mutating func run(_ duration: Duration, _ body: (inout WatchedAccount) -> Void = { _ in }) {
        let end = now + duration
        while now < end {
            tick()
            body(&self)
        }
    }

    mutating func perform(_ actions: [WatchSchedule.Action]) {
        for action in actions {
            switch action {
            case .list(let page): answer(page)
            case .read(let task): answer(task)
            case .flag, .clearFlag: flags.append(action)
            }
        }
    }

    private mutating func answer(_ page: Int) {
        calls.append(.list(page: page))
        if hasNoList { return schedule.listIsMissing(now: now) }
        if isDown || failsLists { return schedule.listFailed(now: now) }
        let size = WatchSchedule.pageSize
        let found = list.dropFirst((page - 1) * size).prefix(size).filter { schedule.contains($0) }
        for task in found { looks[task, default: []].append(seconds) }
        perform(schedule.listed(Array(found), isLast: list.count <= page * size, now: now))
    }

    private mutating func answer(_ task: TaskID) {
        calls.append(.read(task))
        if isDown || broken.contains(task) { return schedule.readFailed(task, now: now) }
        if unknown.contains(task) { return perform(schedule.notFound(task, now: now)) }
        looks[task, default: []].append(seconds)
        perform(schedule.seen(task, now: now))
    }
}

/// The times between consecutive checks.
func gaps(_ times: [Double]) -> [Double] { zip(times.dropFirst(), times).map { $0 - $1 } }
