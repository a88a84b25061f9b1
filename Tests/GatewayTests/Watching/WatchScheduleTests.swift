import Base
import TaskStore
import Testing

@testable import Gateway

/// An account at a make-believe Kling, watched by a schedule in make-believe time.
private struct Account {
    static let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    var schedule: WatchSchedule
    var now = Account.start
    /// What Kling has, newest first.
    var list: [TaskID] = []
    /// What Kling says that it doesn't know.
    var unknown: Set<TaskID> = []
    /// What can't be read.
    var broken: Set<TaskID> = []
    var isDown = false
    var failsLists = false
    var hasNoList = false
    private(set) var flags: [WatchSchedule.Action] = []
    /// When each task was looked at.
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
        _ count: Int, awaited: Bool, age: Duration = .zero, quietFor: Duration = .zero
    ) -> [TaskID] {
        let made = (0..<count).map { _ in ids.next(at: 1) }
        list = made.reversed() + list
        for id in made {
            schedule.watch(WatchedTask(id: id, isAwaited: awaited, age: age, quietFor: quietFor), now: now)
        }
        return made
    }

    /// Tasks that Kling has and nobody watches.
    mutating func bury(under count: Int) { list = (0..<count).map { _ in ids.next(at: 1) } + list }

    /// One interval passes; returns the calls that were made in it.
    @discardableResult
    mutating func tick(after duration: Duration = WatchSchedule.interval) -> [WatchSchedule.Action] {
        now = now + duration
        calls = []
        perform(schedule.tick(now: now))
        return calls
    }

    mutating func run(_ duration: Duration, _ body: (inout Account) -> Void = { _ in }) {
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

struct WatchScheduleTests {
    private func gaps(_ times: [Double]) -> [Double] { zip(times.dropFirst(), times).map { $0 - $1 } }

    @Test func `an awaited task is first looked at after five seconds, then every two to five`() throws {
        var account = Account()
        let task = account.watch(1, awaited: true)[0]
        account.run(.seconds(300))
        let looks = try #require(account.looks[task])
        #expect((4...8).contains(looks[0]))
        // A tick is two seconds: a look is at most that late, and a bucket's second.
        #expect(gaps(looks).allSatisfy { (2...8).contains($0) })
        #expect(looks.filter { $0 < 40 }.count > looks.filter { $0 >= 260 }.count)
    }

    @Test func `a task that nobody waits for is looked at after a minute, and ever less often`() throws {
        var account = Account()
        let task = account.watch(1, awaited: false)[0]
        account.run(.seconds(7_200))
        let looks = try #require(account.looks[task])
        #expect((54...70).contains(looks[0]))
        #expect(gaps(looks).allSatisfy { (50...670).contains($0) })
        #expect(gaps(looks).suffix(5).allSatisfy { $0 > 530 })
    }

    @Test func `with a limit on the account, each task is awaited, those that it has and those to come`() throws {
        var account = Account()
        let young = account.watch(1, awaited: false)[0]
        let old = account.watch(1, awaited: false, age: .seconds(3_600))[0]
        account.tick()
        account.schedule.limit(now: account.now)
        let later = account.watch(1, awaited: false)[0]
        account.run(.seconds(60)) { $0.schedule.limit(now: $0.now) }
        for task in [young, old, later] {
            let looks = try #require(account.looks[task])
            #expect(looks[0] <= 10)
            #expect(gaps(looks).allSatisfy { (2...10).contains($0) })
        }
    }

    @Test(arguments: [0, 1, 499, 700]) func `500 watched tasks cost at most two list calls an interval`(newer: Int) {
        var account = Account()
        account.watch(500, awaited: true)
        account.bury(under: newer)
        var calls = 0
        account.run(.seconds(600)) { account in
            #expect(account.lists.count <= 2)
            #expect(account.calls.count - account.lists.count <= WatchSchedule.readsPerInterval)
            calls += account.calls.count
        }
        let most = account.looks.values.map { gaps($0).max() ?? 600 }.max() ?? 600
        #expect(account.looks.count == 500)
        if newer < 700 {
            // 300 intervals, and most tasks are looked at each 5 s.
            #expect(calls < 320)
            #expect(most <= 10)
        } else {
            #expect(most <= 40)
        }
    }

    @Test func `one or two due tasks are asked for singly, three by a list`() {
        for (count, lists) in [(1, 0), (2, 0), (3, 1)] {
            var account = Account()
            account.watch(count, awaited: true)
            account.tick(after: .seconds(8))
            #expect(account.lists.count == lists)
            #expect(account.calls.count == (lists > 0 ? 1 : count))
        }
    }

    @Test func `no more pages are listed than the due tasks call for, and what they lack is read singly`() {
        var account = Account()
        account.watch(40, awaited: true)
        account.bury(under: 3_000)
        account.tick(after: .seconds(8))
        #expect(account.lists == [.list(page: 1), .list(page: 2)])
        #expect(account.calls.count == 2 + WatchSchedule.readsPerInterval)
        account.run(.seconds(600)) { #expect($0.calls.count <= 2 + WatchSchedule.readsPerInterval) }
        #expect(account.looks.count == 40)
    }

    @Test func `an account without a list is read task by task, a few an interval, all of them in turn`() {
        var account = Account()
        account.hasNoList = true
        let awaited = account.watch(100, awaited: true)
        let swept = account.watch(20, awaited: false, age: .seconds(3_600))
        var lists = 0
        account.run(.seconds(1_200)) { account in
            lists += account.lists.count
            #expect(account.calls.count <= WatchSchedule.readsPerInterval + account.lists.count)
        }
        #expect(lists == 1)
        for task in awaited { #expect((account.looks[task] ?? []).count > 30) }
        for task in swept { #expect((account.looks[task] ?? []).count >= 1) }
    }

    @Test(arguments: [(minutes: 1, lists: 1), (58, 1), (90, 2), (150, 3), (600, 10)])
    func `a list that was missing is asked for once an hour, and used again`(minutes: Int, lists: Int) {
        var account = Account()
        account.hasNoList = true
        account.watch(100, awaited: true)
        var calls = 0
        account.run(.seconds(minutes * 60)) { calls += $0.lists.count }
        #expect(calls == lists)
        account.hasNoList = false
        account.run(.seconds(3_700))
        let looks = account.looks.mapValues(\.count)
        account.run(.seconds(60)) { #expect($0.calls == $0.lists && $0.calls.count <= 2) }
        #expect(account.looks.allSatisfy { $0.value.count > looks[$0.key] ?? 0 })
    }

    @Test func `an outage slows an account down to a call a minute, and everything goes on after it`() {
        var account = Account()
        account.watch(500, awaited: true)
        account.run(.seconds(20))
        account.isDown = true
        var times: [Double] = []
        account.run(.seconds(1_200)) { account in
            #expect(account.calls.count <= 1 + WatchSchedule.readsPerInterval)
            if !account.calls.isEmpty { times.append(account.seconds) }
        }
        #expect(times.count < 30)
        #expect(gaps(times).suffix(5).allSatisfy { (50...64).contains($0) })
        #expect(account.schedule.count == 500 && account.flags.isEmpty)
        account.isDown = false
        let looks = account.looks.mapValues(\.count)
        account.run(.seconds(100))
        #expect(account.looks.allSatisfy { $0.value.count > looks[$0.key] ?? 0 })
    }

    @Test func `calls that fail together slow an account down once, and pauses end at a minute`() {
        var (backoff, spread, now) = (Backoff(shortest: .seconds(2)), Spread(seed: 1), Account.start)
        for pause in [2, 4, 8, 16, 32, 60, 60] {
            for _ in 0..<10 { backoff.failed(now, &spread) }
            #expect(!backoff.isOver(now + .seconds(Double(pause) * 0.89)))
            now = now + .seconds(min(60, Double(pause) * 1.11))
            #expect(backoff.isOver(now))
        }
        backoff.succeeded()
        #expect(!backoff.isProbing)
        backoff.failed(now, &spread)
        #expect(backoff.isOver(now + .seconds(3)))
    }

    @Test func `where only the list fails, tasks are read singly`() {
        var account = Account()
        account.watch(30, awaited: true)
        account.failsLists = true
        account.run(.seconds(600))
        #expect(account.looks.count == 30)
        #expect(account.looks.values.allSatisfy { $0.count > 20 })
    }

    @Test func `a task that cannot be read does not hold up the others`() {
        var account = Account()
        account.hasNoList = true
        let tasks = account.watch(5, awaited: true)
        account.broken = [tasks[0]]
        account.run(.seconds(60))
        for task in tasks.dropFirst() { #expect((account.looks[task] ?? []).count > 5) }
    }

    @Test func `a task unknown for a day is flagged once, watched on, and cleared when it is back`() {
        var account = Account()
        let task = account.watch(1, awaited: true, age: .seconds(82_800), quietFor: .seconds(82_800))[0]
        account.unknown = [task]
        account.list = []
        var calls = 0
        account.run(.seconds(3_500)) { calls += $0.calls.count }
        #expect(account.flags.isEmpty)
        #expect((5...8).contains(calls))
        account.run(.seconds(3_600))
        #expect(account.flags == [.flag(task)])
        account.unknown = []
        account.run(.seconds(1_200))
        #expect(account.flags == [.flag(task), .clearFlag(task)])
        #expect(account.schedule.contains(task))
    }

    @Test func `a hinted task is looked at at once, and once more if a look was under way`() {
        var account = Account()
        let task = account.watch(1, awaited: false)[0]
        account.schedule.hint(task)
        #expect(account.tick(after: .zero) == [.read(task)])
        #expect(account.tick(after: .zero).isEmpty)

        account.schedule.hint(task)
        #expect(account.schedule.tick(now: account.now) == [.read(task)])
        account.schedule.hint(task)
        #expect(account.schedule.tick(now: account.now).isEmpty)
        #expect(account.schedule.seen(task, now: account.now).isEmpty)
        #expect(account.schedule.tick(now: account.now) == [.read(task)])
    }

    @Test func `a storm of hints stays within the bounds`() {
        var account = Account()
        let tasks = account.watch(500, awaited: false)
        var calls: [WatchSchedule.Action] = []
        for task in tasks {
            account.schedule.hint(task)
            calls += account.tick(after: .milliseconds(1))
        }
        #expect(calls.count <= WatchSchedule.readsPerInterval + 2)
        account.run(.seconds(4))
        #expect(account.looks.count == 500)
    }

    @Test func `a client's own query counts as a look`() {
        var account = Account()
        let task = account.watch(1, awaited: true)[0]
        for _ in 0..<60 {
            #expect(account.tick(after: .seconds(1)).isEmpty)
            #expect(account.schedule.seen(task, now: account.now).isEmpty)
        }
    }

    @Test func `an ended task is not looked at any more`() {
        var account = Account()
        let tasks = account.watch(3, awaited: true)
        for task in tasks { account.schedule.ended(task) }
        account.run(.seconds(60)) { #expect($0.calls.isEmpty) }
        #expect(account.schedule.count == 0)
    }

    @Test func `the same seed makes the same calls`() {
        func calls(_ seed: UInt64) -> [[String]] {
            var account = Account(seed: seed)
            account.watch(20, awaited: true)
            account.watch(20, awaited: false, age: .seconds(3_600))
            account.bury(under: 600)
            var calls: [[String]] = []
            let places = Dictionary(uniqueKeysWithValues: account.list.enumerated().map { ($1, $0) })
            account.run(.seconds(300)) { account in
                calls.append(
                    account.calls.map { call in
                        if case .read(let task) = call { "\(places[task] ?? -1)" } else { "\(call)" }
                    })
            }
            return calls
        }
        #expect(calls(7) == calls(7))
        #expect(calls(7) != calls(8))
    }

    @Test func `a hundred thousand tasks are all looked at, by few calls`() {
        var account = Account()
        account.watch(100_000, awaited: false, age: .seconds(86_400))
        var (calls, most) = (0, 0)
        account.run(.seconds(1_400)) { account in
            calls += account.calls.count
            most = max(most, account.lists.count)
        }
        // A pass is 200 pages, and takes ten minutes; 700 intervals have passed.
        #expect(calls < 3_500)
        #expect(most < 40)
        #expect(account.looks.count == 100_000)
        #expect(account.looks.values.allSatisfy { gaps([0] + $0 + [1_400]).allSatisfy { $0 < 700 } })
    }
}
