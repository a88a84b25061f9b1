import Base
import EventLoop
import KlingAPI
import TaskStore
import TestKit
import Testing

@testable import Gateway

@Suite(.onEventLoop) struct AccountsTests {
    /// Runs `body` with a loop for the waiters of one test, and stops the loop afterwards.
    private func withLoop(_ body: @escaping @Sendable (EventLoop) async -> Void) async throws {
        let loop = try EventLoop(name: "waiters")
        await loop.spawn { await body(loop) }.value
        loop.stop()
    }

    /// A deadline that no test reaches.
    private let never = moment(100_000)

    // MARK: Reserving

    @Test func `sixty concurrent reservations never exceed a limit`() async {
        let accounts = Accounts([account("two", concurrency: 2), account("three", concurrency: 3)], clock: HandClock())
        for (name, warmUps) in [("two", 10), ("three", 10)] {
            for number in 900..<900 + warmUps {
                let other: Set<String> = [name == "two" ? "three" : "two"]
                _ = accounts.reserve(id(number), model: "m", excluding: other, now: moment(0))
                accounts.settled(id(number), on: name, .accepted, now: moment(0))
                accounts.settled(id(number), on: name, .ended, now: moment(0))
            }
        }
        let taken = await withTaskGroup(of: String?.self) { group in
            for number in 1...60 {
                group.addTask { accounts.reserve(id(number), model: "m", now: moment(0))?.name }
            }
            return await group.reduce(into: [String: Int]()) { counts, name in
                if let name { counts[name, default: 0] += 1 }
            }
        }
        #expect(taken == ["two": 2, "three": 3])
    }

    @Test func `sixty waiting creates are all accepted by the two working accounts`() async throws {
        let clock = HandClock()
        let never = never
        let accounts = Accounts([account("two"), account("three"), account("spent")], clock: clock)
        let kling = LimitedKling(["two": 2, "three": 3, "spent": 0])
        try await withLoop { loop in
            await withTaskGroup(of: Void.self) { group in
                for number in 1...60 {
                    group.addTask { await Self.create(id(number), accounts, kling, clock, until: never) }
                }
            }
        }
        let book = kling.book.withLock { $0 }
        #expect(book.accepted["two", default: 0] + book.accepted["three", default: 0] == 60)
        #expect(book.accepted["two", default: 0] >= 10 && book.accepted["three", default: 0] >= 10)
        #expect(book.asked["spent"] == 1)
        // Until a limit is known, only the slow start's window holds creates back.
        #expect(book.refused["two", default: 0] <= 4 && book.refused["three", default: 0] <= 8)
        #expect(accounts.figures(now: clock.now).map(\.learnedLimit) == [2, 3, nil])
        #expect(accounts.figures(now: clock.now).map(\.running) == [0, 0, 0])
        #expect(accounts.waiting == 0)
    }

    /// Tries a create at one account after another until it is accepted, and ends its task a little later.
    private static func create(
        _ task: TaskID, _ accounts: Accounts, _ kling: LimitedKling, _ clock: HandClock, until deadline: MonotonicTime
    ) async {
        while let account = await accounts.wait(for: task, tenant: "t", model: "m", until: deadline) {
            await Task.yield()
            let event = kling.create(account.name)
            accounts.settled(task, on: account.name, event, now: clock.now)
            guard event == .accepted else { continue }
            for _ in 0..<10 { await Task.yield() }
            kling.end(account.name)
            return _ = accounts.settled(task, on: account.name, .ended, now: clock.now)
        }
    }

    // MARK: Waiting

    @Test func `waiting creates get freed slots in turn`() async throws {
        let clock = HandClock()
        let never = never
        let accounts = Accounts([account("a", concurrency: 1)], clock: clock)
        #expect(accounts.reserve(id(1), model: "m", now: clock.now) != nil)
        let order = Lock<[TaskID]>([])
        try await withLoop { loop in
            var tasks: [Task<Void, Never>] = []
            for (number, tenant) in [(2, "x"), (3, "x"), (4, "y")] {
                tasks.append(
                    loop.spawn {
                        let account = await accounts.wait(
                            for: id(number), tenant: tenant, model: "m", until: never)
                        #expect(account?.name == "a")
                        order.withLock { $0.append(id(number)) }
                        accounts.settled(id(number), on: "a", .ended, now: clock.now)
                    })
                while accounts.waiting < tasks.count { await Task.yield() }
            }
            // A new create does not overtake those that wait.
            #expect(accounts.reserve(id(5), model: "m", now: clock.now) == nil)
            accounts.settled(id(1), on: "a", .ended, now: clock.now)
            for task in tasks { await task.value }
        }
        #expect(order.withLock { $0 } == [id(2), id(4), id(3)])
    }

    @Test func `a create does not wait while there is room`() async throws {
        let clock = HandClock()
        let accounts = Accounts([account("a")], clock: clock)
        try await withLoop { loop in
            let account = await accounts.wait(for: id(1), tenant: "t", model: "m", until: clock.now)
            #expect(account?.name == "a")
        }
        #expect(accounts.figures(now: clock.now).map(\.running) == [1])
    }

    @Test func `a wait that times out gets no account and takes no slot`() async throws {
        let clock = HandClock()
        let accounts = Accounts([account("a", concurrency: 1)], clock: clock)
        #expect(accounts.reserve(id(1), model: "m", now: clock.now) != nil)
        try await withLoop { loop in
            let deadline = clock.now + .milliseconds(1)
            #expect(await accounts.wait(for: id(2), tenant: "t", model: "m", until: deadline) == nil)
        }
        accounts.settled(id(1), on: "a", .ended, now: clock.now)
        #expect(accounts.waiting == 0)
        #expect(accounts.figures(now: clock.now).map(\.running) == [0])
    }

    @Test func `a cancelled create leaves the queue`() async throws {
        let clock = HandClock()
        let never = never
        let accounts = Accounts([account("a", concurrency: 1)], clock: clock)
        #expect(accounts.reserve(id(1), model: "m", now: clock.now) != nil)
        try await withLoop { loop in
            let waiting = loop.spawn {
                await accounts.wait(for: id(2), tenant: "t", model: "m", until: never)
            }
            while accounts.waiting == 0 { await Task.yield() }
            waiting.cancel()
            #expect(await waiting.value == nil)
            let late = loop.spawn {
                await accounts.wait(for: id(3), tenant: "t", model: "m", until: never)
            }
            late.cancel()
            #expect(await late.value == nil)
        }
        #expect(accounts.waiting == 0)
        accounts.settled(id(1), on: "a", .ended, now: clock.now)
        #expect(accounts.figures(now: clock.now).map(\.running) == [0])
    }

    @Test func `a cancellation while joining the queue is noticed`() async throws {
        // The clock is read between the first check for cancellation and the wait.
        let accounts = Accounts(
            [account("a", concurrency: 1)], timing: AccountTiming(), random: { 0 },
            clock: {
                withUnsafeCurrentTask { $0?.cancel() }
                return moment(0)
            })
        let never = never
        #expect(accounts.reserve(id(1), model: "m", now: moment(0)) != nil)
        try await withLoop { loop in
            #expect(await accounts.wait(for: id(2), tenant: "t", model: "m", until: never) == nil)
        }
        #expect(accounts.waiting == 0)
    }

    @Test func `room that opens with time goes to waiting creates before new ones`() async throws {
        let clock = HandClock()
        let never = never
        let accounts = Accounts([account("a")], clock: clock)
        accounts.settled(id(1), on: "a", .notSent, now: clock.now)
        try await withLoop { loop in
            let waiting = loop.spawn {
                await accounts.wait(for: id(2), tenant: "t", model: "m", until: never)
            }
            while accounts.waiting == 0 { await Task.yield() }
            clock.move(to: 1)
            #expect(accounts.reserve(id(3), model: "m", now: clock.now) == nil)
            #expect(await waiting.value?.name == "a")
        }
    }

    @Test func `a waiting create wakes when its account's pause ends`() async throws {
        var timing = AccountTiming()
        timing.firstPause = .milliseconds(2)
        let never = MonotonicTime.now + .seconds(600)
        let accounts = Accounts([account("a")], timing: timing, random: { 0 }, clock: { .now })
        try await withLoop { [timing] loop in
            for number in stride(from: 1, to: 9, by: 2) {
                #expect(await accounts.wait(for: id(number), tenant: "t", model: "m", until: never) != nil)
                accounts.settled(id(number), on: "a", .notSent)
                let paused = MonotonicTime.now
                let probe = await accounts.wait(for: id(number + 1), tenant: "t", model: "m", until: never)
                #expect(probe?.name == "a")
                #expect(MonotonicTime.now - paused < timing.longestPause)
                accounts.settled(id(number + 1), on: "a", .accepted)
                accounts.settled(id(number + 1), on: "a", .ended)
            }
        }
    }

    @Test func `a timer that would fire too late is rearmed`() async throws {
        var timing = AccountTiming()
        timing.firstPause = .seconds(500)
        timing.longestPause = .seconds(500)
        timing.raiseInterval = .milliseconds(2)
        let accounts = Accounts(
            [account("slow", models: ["m"]), account("quick", concurrency: 2, models: ["m"])], timing: timing,
            random: { 0 }, clock: { .now })
        accounts.settled(id(1), on: "slow", .notSent)
        let never = MonotonicTime.now + .seconds(600)
        try await withLoop { loop in
            #expect(accounts.reserve(id(2), model: "m")?.name == "quick")
            let waiting = loop.spawn {
                await accounts.wait(for: id(3), tenant: "t", model: "m", until: never)
            }
            while accounts.waiting == 0 { await Task.yield() }
            // A learned limit makes the account full; the waiter's demand raises it.
            accounts.restore([AccountStateRecord(name: "quick", learnedLimit: 1, updatedAt: 1)], running: [])
            accounts.settled(id(2), on: "quick", .accepted)
            #expect(await waiting.value?.name == "quick")
        }
    }

    @Test func `an answered list call wakes a waiting create`() async throws {
        let clock = HandClock()
        let never = never
        let accounts = Accounts([account("a")], clock: clock)
        accounts.settled(id(1), on: "a", .packUsedUp, now: clock.now)
        try await withLoop { loop in
            let waiting = loop.spawn {
                await accounts.wait(for: id(2), tenant: "t", model: "m", until: never)
            }
            while accounts.waiting == 0 { await Task.yield() }
            clock.move(to: 30)
            #expect(accounts.probes(now: clock.now).map(\.name) == ["a"])
            accounts.probed("a", .answered, now: clock.now)
            #expect(await waiting.value?.name == "a")
        }
    }

    @Test func `an account that is no longer configured is not found, and its tasks do no harm`() {
        let accounts = Accounts([account("a")], clock: HandClock())
        #expect(accounts.named("a")?.name == "a" && accounts.named("gone") == nil)
        accounts.settled(id(1), on: "gone", .ended, now: moment(0))
        accounts.probed("gone", .answered, now: moment(0))
        #expect(accounts.figures(now: moment(0)).map(\.name) == ["a"])
    }
}

/// A Kling that only counts slots. An account without slots has used up its pack.
private final class LimitedKling: Sendable {
    struct Book {
        var running: [String: Int] = [:]
        var accepted: [String: Int] = [:]
        var refused: [String: Int] = [:]
        var asked: [String: Int] = [:]
    }

    let book = Lock(Book())
    private let limits: [String: Int]

    init(_ limits: [String: Int]) { self.limits = limits }

    func create(_ account: String) -> CreateEvent {
        book.withLock { book in
            book.asked[account, default: 0] += 1
            guard let limit = limits[account], limit > 0 else { return .packUsedUp }
            if book.running[account, default: 0] >= limit {
                book.refused[account, default: 0] += 1
                return .saturated
            }
            book.running[account, default: 0] += 1
            book.accepted[account, default: 0] += 1
            return .accepted
        }
    }

    func end(_ account: String) { book.withLock { $0.running[account, default: 0] -= 1 } }
}
