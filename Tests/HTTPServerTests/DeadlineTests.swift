import Base
import Testing

@testable import HTTPServer

private func time(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

struct RateDeadlineTests {
    @Test(
        arguments: [
            // Bytes per second and the bytes transferred; then the milliseconds for them, beside the allowance.
            (1000, [], 0), (1000, [1], 1), (1000, [500, 500], 1000), (1000, [1500], 1500), (16384, [16384], 1000),
            (3, [1], 333), (3, [2], 666), (1 << 40, [1 << 20], 0), (0, [2], 2000), (-5, [1], 1000),
            (1 << 14, [1 << 40], 1 << 26 * 1000),
        ] as [(Int, [Int], Int64)])
    func `each byte transferred moves the deadline by the time that the rate allows for it`(
        rate: Int, counts: [Int], milliseconds: Int64
    ) {
        var deadline = RateDeadline(from: time(100), allowance: .milliseconds(20), bytesPerSecond: rate)
        for count in counts { deadline.transferred(count) }
        #expect(deadline.due == time(120 + milliseconds))
    }
}

struct LingerDeadlineTests {
    @Test(
        arguments: [
            // When something arrives and how much; then when the connection is closed.
            ([(0, 0)], 50), ([(30, 0)], 50), ([(30, 10)], 60), ([(30, 100)], 80), ([(30, 100), (70, 0)], 120),
            ([(30, 100), (70, 0), (115, 0)], 150), ([(30, 1000), (180, 0)], 200),
        ] as [([(now: Int64, count: Int)], Int64)])
    func `a closing connection waits for input that arrives fast enough, up to a limit`(
        arrivals: [(now: Int64, count: Int)], end: Int64
    ) {
        var deadline = LingerDeadline(
            from: time(0), pause: .milliseconds(50), bytesPerSecond: 1000, limit: .milliseconds(200))
        var due = time(0)
        for arrival in arrivals { due = deadline.received(arrival.count, at: time(arrival.now)) }
        #expect(due == time(end))
    }
}

struct PhaseTimerTests {
    @Test(
        arguments: [
            // Deadlines set one after another (nil for none), then when the timer fires and which deadline holds.
            ([10], 10, 10), ([10, 20], 10, 20), ([10, 5], 5, 5), ([10, nil], 10, nil), ([10, nil, 30], 10, 30),
            ([10, nil, 5], 5, 5), ([nil], nil, nil), ([10, 20, 15], 10, 15),
        ] as [([Int64?], Int64?, Int64?)])
    func `the timer is only armed again for an earlier deadline`(set: [Int64?], due: Int64?, deadline: Int64?) {
        var timer = PhaseTimer()
        for value in set { timer.set(value.map(time)) }
        #expect(timer.due == due.map(time))
        #expect(timer.deadline == deadline.map(time))
    }

    @Test(
        arguments: [
            // Deadlines set, and when the timer fires; whether the phase times out, and when the timer fires again.
            ([10], 10, true, nil), ([10], 12, true, nil), ([10, 20], 10, false, 20), ([10, nil], 10, false, nil),
            ([10, 20], 25, true, nil), ([10], 9, false, 10),
        ] as [([Int64?], Int64, Bool, Int64?)])
    func `a timer that fires before the deadline is armed for the rest`(
        set: [Int64?], now: Int64, hasTimedOut: Bool, due: Int64?
    ) {
        var timer = PhaseTimer()
        for value in set { timer.set(value.map(time)) }
        #expect(timer.fired(at: time(now)) == hasTimedOut)
        #expect(timer.due == due.map(time))
        #expect(timer.deadline == due.map(time))
    }

    @Test func `a phase times out once`() {
        var timer = PhaseTimer()
        timer.set(time(10))
        #expect(timer.fired(at: time(10)) == true)
        #expect(timer.fired(at: time(11)) == false)
        timer.set(time(20))
        #expect(timer.due == time(20))
    }
}
