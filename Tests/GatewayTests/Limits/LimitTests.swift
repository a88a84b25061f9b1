import Base
import TaskStore
import Testing

@testable import Gateway

struct LimitTests {
    private let start = MonotonicTime(nanoseconds: 5_000_000_000)

    private func principal(_ id: String, _ limit: Int?) -> Principal {
        Principal(tenant: "t", keyID: id, limits: Principal.Limits(requestsPerMinute: limit))
    }

    @Test func `a limit of 60 admits exactly 60 of many concurrent requests`() async {
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

    @Test func `an allowance refills evenly and without rounding`() {
        var bucket = RateBucket(limit: 7, now: start)
        for remaining in (0..<7).reversed() {
            let decision = bucket.take(limit: 7, now: start)
            #expect(decision.isAdmitted && decision.remaining == remaining)
        }
        let refused = bucket.take(limit: 7, now: start)
        #expect(!refused.isAdmitted && refused.retryAfter == 9 && refused.reset == 60)
        // A seventh of a minute is 8 571 428 571.43 ns.
        let isTooEarlyAdmitted = bucket.take(limit: 7, now: start + .nanoseconds(8_571_428_571)).isAdmitted
        #expect(!isTooEarlyAdmitted)
        let isInTimeAdmitted = bucket.take(limit: 7, now: start + .nanoseconds(8_571_428_572)).isAdmitted
        #expect(isInTimeAdmitted)
        // After a hundred minutes of trying every 10 ms, the count is exact.
        var (steady, admitted) = (RateBucket(limit: 7, now: start), 0)
        for step in 0..<600_000 where steady.take(limit: 7, now: start + .milliseconds(step * 10)).isAdmitted {
            admitted += 1
        }
        #expect(admitted == 7 + 7 * 100 - 1)
    }

    @Test func `an older clock reading takes nothing back`() {
        var bucket = RateBucket(limit: 1, now: start)
        let isAdmittedAt30 = bucket.take(limit: 1, now: start + .seconds(30)).isAdmitted
        #expect(isAdmittedAt30)
        let isAdmittedAt0 = bucket.take(limit: 1, now: start).isAdmitted
        #expect(!isAdmittedAt0)
        let isAdmittedAt89 = bucket.take(limit: 1, now: start + .seconds(89)).isAdmitted
        #expect(!isAdmittedAt89)
        let isAdmittedAt90 = bucket.take(limit: 1, now: start + .seconds(90)).isAdmitted
        #expect(isAdmittedAt90)
    }

    @Test func `keys are counted separately, and idle ones are evicted`() {
        let limiter = RateLimiter()
        #expect(limiter.take(principal("free", nil), now: start) == nil)
        for index in 0..<10_000 {
            _ = limiter.take(principal("k\(index)", 1), now: start + .seconds(index))
        }
        #expect(limiter.count <= 1024)
    }

    @Test func `a key has as many slots as its limit, and a task holds one for half an hour at most`() {
        var (slots, ids) = (TaskSlots(), TaskIDGenerator())
        let tasks = (0..<4).map { _ in ids.next(at: 1) }
        let isFirstAdmitted = slots.admit(tasks[0], key: "k", limit: 2, now: start)
        #expect(isFirstAdmitted)
        let isSecondAdmitted = slots.admit(tasks[1], key: "k", limit: 2, now: start + .seconds(60))
        #expect(isSecondAdmitted)
        let isThirdAdmitted = slots.admit(tasks[2], key: "k", limit: 2, now: start + .seconds(60))
        #expect(!isThirdAdmitted)
        let isSecondAdmittedAgain = slots.admit(tasks[1], key: "k", limit: 2, now: start + .seconds(60))
        #expect(isSecondAdmittedAgain)
        let isOtherKeyAdmitted = slots.admit(tasks[2], key: "other", limit: 2, now: start)
        #expect(isOtherKeyAdmitted)
        slots.finish(tasks[1])
        let isAdmittedAfterFinish = slots.admit(tasks[1], key: "k", limit: 2, now: start + .seconds(60))
        #expect(isAdmittedAfterFinish)
        let isAdmittedAt1799 = slots.admit(tasks[3], key: "k", limit: 2, now: start + .seconds(1799))
        #expect(!isAdmittedAt1799)
        let isAdmittedAt1800 = slots.admit(tasks[3], key: "k", limit: 2, now: start + .seconds(1800))
        #expect(isAdmittedAt1800)
        for task in tasks { slots.finish(task) }
        #expect(slots.count == 0)
    }

    @Test func `tasks that never end are evicted`() {
        var (slots, ids) = (TaskSlots(), TaskIDGenerator())
        for index in 0..<10_000 {
            _ = slots.admit(ids.next(at: 1), key: "k\(index)", limit: 5, now: start + .seconds(index * 10))
        }
        #expect(slots.count <= 1024)
    }
}
