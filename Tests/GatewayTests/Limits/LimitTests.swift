import Base
import TaskStore
import Testing

@testable import Gateway

struct LimitTests {
    private let start = MonotonicTime(nanoseconds: 5_000_000_000)

    private func principal(_ id: String, _ limit: Int?) -> Principal {
        Principal(tenant: "t", keyID: id, limits: Principal.Limits(requestsPerMinute: limit))
    }

    @Test func `a limit of 60 lets through exactly 60 of many at once`() async {
        let limiter = RateLimiter()
        let admitted = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    (0..<50).count { _ in limiter.take(principal("k", 60), now: start)?.isAdmitted == true }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(admitted == 60)
    }

    @Test func `an allowance fills evenly, and nothing is rounded`() {
        var bucket = RateBucket(limit: 7, now: start)
        for remaining in (0..<7).reversed() {
            let decision = bucket.take(limit: 7, now: start)
            #expect(decision.isAdmitted && decision.remaining == remaining)
        }
        let refused = bucket.take(limit: 7, now: start)
        #expect(!refused.isAdmitted && refused.retryAfter == 9 && refused.reset == 60)
        // A seventh of a minute is 8 571 428 571.43 ns.
        let was1 = bucket.take(limit: 7, now: start + .nanoseconds(8_571_428_571)).isAdmitted
        #expect(!was1)
        let was2 = bucket.take(limit: 7, now: start + .nanoseconds(8_571_428_572)).isAdmitted
        #expect(was2)
        // After a thousand minutes of trying each 10 ms the count is exact.
        var (steady, admitted) = (RateBucket(limit: 7, now: start), 0)
        for step in 0..<600_000 where steady.take(limit: 7, now: start + .milliseconds(step * 10)).isAdmitted {
            admitted += 1
        }
        #expect(admitted == 7 + 7 * 100 - 1)
    }

    @Test func `a clock read before another thread's takes nothing back`() {
        var bucket = RateBucket(limit: 1, now: start)
        let was3 = bucket.take(limit: 1, now: start + .seconds(30)).isAdmitted
        #expect(was3)
        let was4 = bucket.take(limit: 1, now: start).isAdmitted
        #expect(!was4)
        let was5 = bucket.take(limit: 1, now: start + .seconds(89)).isAdmitted
        #expect(!was5)
        let was6 = bucket.take(limit: 1, now: start + .seconds(90)).isAdmitted
        #expect(was6)
    }

    @Test func `keys are counted apart, and idle ones are forgotten`() {
        let limiter = RateLimiter()
        #expect(limiter.take(principal("free", nil), now: start) == nil)
        for index in 0..<10_000 {
            _ = limiter.take(principal("k\(index)", 1), now: start + .seconds(index))
        }
        #expect(limiter.count <= 1024)
    }

    @Test func `a key has as many slots as its limit, and a task of half an hour has none`() {
        var (slots, ids) = (TaskSlots(), TaskIDGenerator())
        let tasks = (0..<4).map { _ in ids.next(at: 1) }
        let was7 = slots.admit(tasks[0], key: "k", limit: 2, now: start)
        #expect(was7)
        let was8 = slots.admit(tasks[1], key: "k", limit: 2, now: start + .seconds(60))
        #expect(was8)
        let was9 = slots.admit(tasks[2], key: "k", limit: 2, now: start + .seconds(60))
        #expect(!was9)
        let was10 = slots.admit(tasks[1], key: "k", limit: 2, now: start + .seconds(60))
        #expect(was10)
        let was11 = slots.admit(tasks[2], key: "other", limit: 2, now: start)
        #expect(was11)
        slots.finish(tasks[1])
        let was12 = slots.admit(tasks[1], key: "k", limit: 2, now: start + .seconds(60))
        #expect(was12)
        let was13 = slots.admit(tasks[3], key: "k", limit: 2, now: start + .seconds(1799))
        #expect(!was13)
        let was14 = slots.admit(tasks[3], key: "k", limit: 2, now: start + .seconds(1800))
        #expect(was14)
        for task in tasks { slots.finish(task) }
        #expect(slots.count == 0)
    }

    @Test func `tasks that never end leave the memory`() {
        var (slots, ids) = (TaskSlots(), TaskIDGenerator())
        for index in 0..<10_000 {
            _ = slots.admit(ids.next(at: 1), key: "k\(index)", limit: 5, now: start + .seconds(index * 10))
        }
        #expect(slots.count <= 1024)
    }
}
