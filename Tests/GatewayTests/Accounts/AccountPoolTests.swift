import Base
import KlingAPI
import TaskStore
import Testing

@testable import Gateway

struct AccountPoolTests {
    // MARK: Choice

    @Test func `the account with the most free slots takes the task`() {
        let pool = PoolSubject(account("two", concurrency: 2), account("three", concurrency: 3))
        #expect((1...6).map { pool.accept($0) } == ["three", "two", "three", "two", "three", nil])
        pool.settle(2, on: "two", .ended, at: 1)
        #expect(pool.accept(7) == "two")
    }

    @Test func `an account with a higher weight takes more tasks`() {
        let pool = PoolSubject(account("light", concurrency: 6), account("heavy", concurrency: 6, weight: 3))
        let first = (1...6).map { pool.accept($0) }
        #expect(first.filter { $0 == "heavy" }.count > first.filter { $0 == "light" }.count)
        let rest = (7...13).map { pool.accept($0) }
        #expect((first + rest).filter { $0 == "heavy" }.count == 6)
        #expect((first + rest).filter { $0 == "light" }.count == 6)
    }

    @Test func `accounts without limits share the work by weight`() {
        let pool = PoolSubject(account("a"), account("b"), account("c", weight: 2))
        let names = (1...40).compactMap { pool.accept($0) }
        #expect(names.filter { $0 == "a" }.count == 10)
        #expect(names.filter { $0 == "b" }.count == 10)
        #expect(names.filter { $0 == "c" }.count == 20)
    }

    @Test func `an excluded account gets nothing`() {
        let pool = PoolSubject(account("a"), account("b"))
        #expect(pool.accept(1, excluding: ["a"]) == "b")
        #expect(pool.accept(2, excluding: ["a", "b"]) == nil)
    }

    @Test func `a cooled-down account gets its single probe by the usual rule`() {
        let pool = PoolSubject(account("a", concurrency: 5), account("b", concurrency: 4))
        pool.settle(999, on: "a", .notSent)
        #expect(pool.accept(1, at: 0.5) == "b")
        #expect(pool.nextChange(after: 0.5) == moment(1))
        #expect(pool.reserve(2, at: 1) == "a")
        #expect(pool.accept(3, at: 1) == "b")
        #expect(pool.settle(2, on: "a", .accepted, at: 1)?.to.state == .healthy)
        #expect(pool.accept(4, at: 1) == "a")
    }

    @Test func `a change of state is reported once`() {
        let pool = PoolSubject(account("a"))
        let transition = pool.settle(1, on: "a", .packUsedUp)
        #expect(transition?.from == .healthy)
        #expect(transition?.to.state == .disabled)
        #expect(transition?.to.disabledBy == .resourcePackExhausted)
        #expect(pool.settle(2, on: "a", .packUsedUp) == nil)
        #expect(pool.settle(2, on: "gone", .packUsedUp) == nil)
    }

    // MARK: Refusals

    @Test(arguments: [
        ([CreateEvent.saturated, .packUsedUp], Cause.accountsFull, true),
        ([.rateLimited, .rateLimited], .accountsRateLimited, true),
        ([.rateLimited, .notSent], .accountsRateLimited, true),
        ([.notSent, .unavailable], .accountsCooling, true),
        ([.notSent, .packUsedUp], .accountsCooling, true),
        ([.packUsedUp, .packUsedUp], .accountsDisabled, false),
        ([.saturated, .notSent], .accountsFull, true),
    ])
    func `a refusal names the obstacle that clears soonest`(events: [CreateEvent], cause: Cause, canQueue: Bool) {
        let pool = PoolSubject(account("a"), account("b"))
        pool.settle(999, on: "a", events[0])
        pool.settle(999, on: "b", events[1])
        #expect(pool.reserve(1) == nil)
        #expect(pool.refusalError().cause == cause)
        #expect(pool.canQueue() == canQueue)
    }

    @Test func `busy accounts count as full, and creates can queue for them`() {
        let pool = PoolSubject(account("a", concurrency: 1))
        #expect(pool.accept(1) == "a")
        #expect(pool.refusalError().cause == .accountsFull)
        #expect(pool.canQueue())
    }

    @Test func `a refusal for a rate limit says when to retry`() {
        let pool = PoolSubject(account("a"))
        pool.settle(999, on: "a", .rateLimited)
        #expect(pool.refusalError().retryAfter == 1)
        for time in [1.0, 3, 7] {
            #expect(pool.reserve(1, at: time) != nil)
            pool.settle(1, on: "a", .rateLimited, at: time)
        }
        #expect(pool.refusalError(at: 7.5).retryAfter == 8)
    }

    @Test func `a model that no account serves is refused and cannot be queued`() {
        let pool = PoolSubject(account("a", models: ["m"]), account("b", models: ["n"]))
        let error = pool.refusalError(model: "x")
        #expect(error.cause == .accountsDisabled && error.message.contains("serves x"))
        #expect(!pool.canQueue(model: "x"))
        _ = pool.reserve(1)
        pool.settle(999, on: "a", .notSent)
        pool.settle(1, on: "a", .modelRefused)
        #expect(pool.refusalError().cause == .accountsDisabled)
        #expect(!pool.canQueue() && pool.canQueue(model: "n"))
    }

    // MARK: Saved state

    @Test func `changed state is taken once, and again if it could not be saved`() {
        let (spender, learner) = (account("a"), account("b"))
        let pool = PoolSubject(spender, learner)
        #expect(pool.takeChanged(at: 5) == [])
        pool.settle(999, on: "a", .packUsedUp)
        let disabled = AccountStateRecord(
            name: "a", disabledBy: 1102, reason: "balance not enough", identity: spender.identity.number, updatedAt: 5)
        #expect(pool.takeChanged(at: 5) == [disabled])
        #expect(pool.takeChanged(at: 6) == [])
        pool.putBack([disabled])
        #expect(pool.takeChanged(at: 7).map(\.updatedAt) == [7])
        learner.capabilities.learn(AccountTraits(hasLookup: false))
        pool.settle(999, on: "b", .saturated)
        #expect(
            pool.takeChanged(at: 8)
                == [
                    AccountStateRecord(
                        name: "b", learnedLimit: 1, hasLookup: false, identity: learner.identity.number, updatedAt: 8)
                ])
        pool.settle(999, on: "b", .notSent)
        #expect(pool.takeChanged(at: 9) == [])
    }

    @Test func `a restart restores states, limits and running tasks`() {
        let (first, second) = (account("a"), account("b"))
        let pool = PoolSubject(first, second)
        pool.restore(
            [
                AccountStateRecord(
                    name: "a", disabledBy: 1102, reason: "empty", refusedModels: ["n"], learnedLimit: 4,
                    hasLookup: true, identity: first.identity.number, updatedAt: 1),
                AccountStateRecord(name: "b", learnedLimit: 2, identity: second.identity.number, updatedAt: 1),
                AccountStateRecord(name: "gone", disabledBy: 1001, updatedAt: 1),
            ],
            running: [
                RunningTask(id: id(1), account: "b", age: .seconds(1700)),
                RunningTask(id: id(2), account: "b", age: .seconds(1800)),
                RunningTask(id: id(3), account: "gone", age: .zero),
            ])
        let figures = pool.figures()
        #expect(figures.map(\.state) == [.disabled, .healthy])
        #expect(figures.map(\.limit) == [4, 2])
        #expect(figures.map(\.running) == [0, 1])
        #expect(figures[0].reason == "empty" && figures[0].refusedModels == ["n"])
        #expect(first.capabilities.hasLookup == true && second.capabilities.hasLookup == nil)
        #expect(pool.takeChanged(at: 2) == [])
        // The operator may have fixed the account while the gateway was down.
        #expect(pool.takeProbes() == ["a"])
        #expect(pool.accept(4) == "b")
        #expect(pool.accept(5) == nil)
        #expect(pool.nextChange(after: 0) == moment(60))
        #expect(pool.accept(6, at: 100) == "b")
    }

    @Test func `state learned from another account with the same name is discarded`() {
        let (old, new) = (account("a", key: "old"), account("a", key: "new"))
        let pool = PoolSubject(new)
        pool.restore(
            [
                AccountStateRecord(
                    name: "a", disabledBy: 1102, reason: "empty", learnedLimit: 4, hasLookup: true, hasUniqueIDs: true,
                    identity: old.identity.number, updatedAt: 1)
            ], running: [])
        #expect(pool.figures().map(\.state) == [.healthy] && pool.figures().map(\.limit) == [nil])
        #expect(new.capabilities.hasLookup == nil && !new.capabilities.hasUniqueIDs)
        let kept = AccountStateRecord(name: "a", identity: new.identity.number, updatedAt: 2)
        #expect(pool.takeChanged(at: 2) == [kept])
    }

    @Test func `configured values override learned ones`() {
        let known = account("a", concurrency: 3, hasLookup: true)
        let pool = PoolSubject(known)
        pool.restore(
            [AccountStateRecord(name: "a", learnedLimit: 7, hasLookup: false, updatedAt: 1)], running: [])
        #expect(known.capabilities.hasLookup == true)
        #expect(pool.figures().map(\.limit) == [3])
    }
}
