import Base
import TaskStore
import Testing

@testable import Gateway

struct WatchScheduleTests {
    @Test func `a task that nothing waits for is checked after a minute, then less and less often`() throws {
        var account = WatchedAccount()
        let task = account.watch(1, awaited: false)[0]
        account.run(.seconds(7_200))
        let looks = try #require(account.looks[task])
        #expect((54...70).contains(looks[0]))
        #expect(gaps(looks).allSatisfy { (50...670).contains($0) })
        #expect(gaps(looks).suffix(5).allSatisfy { $0 > 530 })
    }

    @Test func `an account's limit makes all its present and future tasks awaited`() throws {
        var account = WatchedAccount()
        let young = account.watch(1, awaited: false)[0]
        let old = account.watch(1, awaited: false, quietFor: .seconds(3_600))[0]
        account.tick()
        account.schedule.limit(now: account.now)
        let later = account.watch(1, awaited: false)[0]
        account.run(.seconds(60)) { $0.schedule.limit(now: $0.now) }
        for task in [young, old, later] {
            let looks = try #require(account.looks[task])
            #expect(looks[0] <= 8)
            #expect(gaps(looks).allSatisfy { (1...8).contains($0) })
        }
    }

    @Test func `a single due task is queried, and several are listed`() {
        for (count, lists) in [(1, 0), (2, 1), (3, 1)] {
            var account = WatchedAccount()
            account.watch(count, awaited: true)
            account.tick(after: .seconds(8))
            #expect(account.lists.count == lists)
            #expect(account.calls.count == (lists > 0 ? 1 : count))
        }
    }

    @Test func `only the pages that due tasks need are listed, and missing tasks are queried singly`() {
        var account = WatchedAccount()
        account.watch(40, awaited: true)
        account.bury(under: 3_000)
        #expect(account.tick() == [.list(page: 1)])
        account.tick()
        #expect(account.lists == [.list(page: 2)])
        #expect(account.calls.count == 1 + WatchSchedule.readsPerInterval)
        account.run(.seconds(600)) { #expect($0.calls.count <= WatchSchedule.readsPerInterval) }
        #expect(account.looks.count == 40)
    }

    @Test func `an account without a list is queried task by task, a few per interval, all in turn`() {
        var account = WatchedAccount()
        account.hasNoList = true
        let awaited = account.watch(100, awaited: true)
        let swept = account.watch(20, awaited: false, quietFor: .seconds(3_600))
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
    func `a missing list is retried once an hour, and used once it is back`(minutes: Int, lists: Int) {
        var account = WatchedAccount()
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

    @Test func `an outage slows an account to a call a minute, and watching resumes after it`() {
        var account = WatchedAccount()
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

    @Test func `calls that fail together count once for the backoff, which is capped at a minute`() {
        var (backoff, spread, now) = (Backoff(shortest: .seconds(2)), Spread(seed: 1), WatchedAccount.start)
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

    @Test func `if only the list fails, tasks are queried singly`() {
        var account = WatchedAccount()
        account.watch(30, awaited: true)
        account.failsLists = true
        account.run(.seconds(600))
        #expect(account.looks.count == 30)
        #expect(account.looks.values.allSatisfy { $0.count > 20 })
    }

    @Test func `a task that cannot be read does not delay the others`() {
        var account = WatchedAccount()
        account.hasNoList = true
        let tasks = account.watch(5, awaited: true)
        account.broken = [tasks[0]]
        account.run(.seconds(60))
        for task in tasks.dropFirst() { #expect((account.looks[task] ?? []).count > 5) }
    }

    @Test func `a task unknown for a day is flagged once, still watched, and cleared when it is back`() {
        var account = WatchedAccount()
        let task = account.watch(1, awaited: true, quietFor: .seconds(82_800))[0]
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

    @Test func `a hinted task is checked at once, and again if a check was in flight`() {
        var account = WatchedAccount()
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

    @Test func `a burst of hints stays within the limits`() {
        var account = WatchedAccount()
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

    @Test func `a client's own query counts as a check`() {
        var account = WatchedAccount()
        let task = account.watch(1, awaited: true)[0]
        for _ in 0..<60 {
            #expect(account.tick(after: .milliseconds(400)).isEmpty)
            #expect(account.schedule.seen(task, now: account.now).isEmpty)
        }
    }

    @Test func `an ended task is no longer checked`() {
        var account = WatchedAccount()
        let tasks = account.watch(3, awaited: true)
        for task in tasks { account.schedule.ended(task) }
        account.run(.seconds(60)) { #expect($0.calls.isEmpty) }
        #expect(account.schedule.count == 0)
    }

    @Test func `the same seed makes the same calls`() {
        func calls(_ seed: UInt64) -> [[String]] {
            var account = WatchedAccount(seed: seed)
            account.watch(20, awaited: true, quietFor: .seconds(3_600))
            account.watch(20, awaited: false, quietFor: .seconds(3_600))
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

    @Test func `a hundred thousand tasks are all checked with few calls`() {
        var account = WatchedAccount()
        account.watch(100_000, awaited: false, quietFor: .seconds(86_400))
        var (calls, most) = (0, 0)
        account.run(.seconds(1_400)) { account in
            calls += account.calls.count
            most = max(most, account.lists.count)
        }
        // A pass is 200 pages, and takes less than ten minutes.
        #expect(calls < 7_000)
        #expect(most <= 1)
        #expect(account.looks.count == 100_000)
        #expect(account.looks.values.allSatisfy { gaps([0] + $0 + [1_400]).allSatisfy { $0 < 700 } })
    }
}
