import Base
import Testing

@testable import Gateway

/// A guard, and the two clocks that it reads.
private struct Clocks {
    static let start: Int64 = 1_800_000_000_000
    static let (minute, hour, day): (Int64, Int64, Int64) = (60_000, 3_600_000, 86_400_000)

    private var elapsed: Int64 = 5_000_000
    private var wall: Int64
    private(set) var clock: ClockGuard

    /// - Parameters:
    ///   - error: how far the wall clock is ahead at the start.
    ///   - off: how long the gateway was off before; nil if its store is new.
    init(error: Int64 = 0, off: Int64? = nil) {
        wall = Self.start + error
        clock = ClockGuard(wall: wall, monotonic: Self.monotonic(elapsed), mark: off.map { Self.start - $0 })
    }

    private static func monotonic(_ elapsed: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: elapsed * 1_000_000) }

    /// Lets time pass with a reading every 20 s. Returns the last one, relative to the start.
    mutating func pass(_ duration: Int64) -> (now: Int64, believed: Int64) {
        var left = duration
        var reading = clock.read(wall: wall, monotonic: Self.monotonic(elapsed))
        while left > 0 {
            let step = min(left, 20_000)
            (left, elapsed, wall) = (left - step, elapsed + step, wall + step)
            reading = clock.read(wall: wall, monotonic: Self.monotonic(elapsed))
        }
        return (reading.now - Self.start, reading.believed - Self.start)
    }

    /// Makes the wall clock jump.
    mutating func jump(_ step: Int64) { wall += step }
}

struct ClockGuardTests {
    private typealias C = Clocks
    private static let years = 401 * Clocks.day
    private static let jumps = [years, -years, 2 * C.hour, -2 * C.hour, 61_000, -61_000]

    @Test func `a correct clock is believed, and so are small steps`() {
        var clocks = Clocks(off: 30_000)
        #expect(clocks.pass(C.hour) == (C.hour, C.hour))
        for step in [500, -500, 59_000, -59_000] as [Int64] {
            clocks.jump(step)
            _ = clocks.pass(C.minute)
        }
        #expect(clocks.pass(0).believed == C.hour + 4 * C.minute)
    }

    @Test(arguments: jumps)
    func `a clock that is wrong for seconds at startup does not change the believed time`(error: Int64) {
        var clocks = Clocks(error: error, off: 0)
        let wrong = clocks.pass(10_000)
        #expect(wrong.believed == 10_000)
        #expect(wrong.now == max(10_000 + error, wrong.believed))
        clocks.jump(-error)
        #expect(clocks.pass(10_000) == (20_000, 20_000))
    }

    @Test(arguments: jumps)
    func `the believed time ignores a jump and the jump back`(error: Int64) {
        var clocks = Clocks()
        _ = clocks.pass(C.hour)
        clocks.jump(error)
        #expect(clocks.pass(23 * C.hour) == (24 * C.hour + max(0, error), 24 * C.hour))
        clocks.jump(-error)
        #expect(clocks.pass(C.hour) == (25 * C.hour, 25 * C.hour))
    }

    @Test(arguments: jumps)
    func `records are never considered older than they are in the day after a jump`(error: Int64) {
        var clocks = Clocks(off: C.minute)
        let before = clocks.pass(C.minute).now
        clocks.jump(error)
        let amid = clocks.pass(C.minute).now
        clocks.jump(-error)
        let after = clocks.pass(C.minute).now
        clocks.jump(error)
        let end = clocks.pass(23 * C.hour).believed
        #expect(end - before <= 23 * C.hour + 2 * C.minute)
        #expect(end - amid <= 23 * C.hour + C.minute)
        #expect(end - after <= 23 * C.hour)
    }

    @Test func `a clock set back is believed after a day, in one step`() {
        var clocks = Clocks(error: 2 * C.hour)
        _ = clocks.pass(C.hour)
        clocks.jump(-2 * C.hour)
        #expect(clocks.pass(23 * C.hour) == (26 * C.hour, 26 * C.hour))
        #expect(clocks.pass(C.hour) == (25 * C.hour, 25 * C.hour))
    }

    @Test func `after a month of downtime the believed time catches up within 55 hours`() {
        let month = 30 * C.day
        var clocks = Clocks(off: month)
        #expect(clocks.pass(23 * C.hour).believed == 23 * C.hour - month)
        _ = clocks.pass(C.hour)
        #expect(clocks.pass(20 * C.hour).believed < 44 * C.hour)
        #expect(clocks.pass(11 * C.hour) == (55 * C.hour, 55 * C.hour))
    }

    @Test func `a second jump restarts the day of probation`() {
        var clocks = Clocks(off: C.minute)
        clocks.jump(Self.years)
        _ = clocks.pass(20 * C.hour)
        clocks.jump(Self.years)
        #expect(clocks.pass(20 * C.hour).believed == 40 * C.hour)
    }

    @Test func `two days with a clock years ahead advance the believed time by less than 27 days`() {
        var clocks = Clocks()
        clocks.jump(Self.years)
        #expect(clocks.pass(2 * C.day).believed < 2 * C.day + 25 * C.day)
    }

    @Test(arguments: [Int64.min, -1, .max]) func `an impossible wall clock time changes nothing`(wall: Int64) {
        var clock = ClockGuard(wall: wall, monotonic: MonotonicTime(nanoseconds: 0), mark: Clocks.start)
        #expect(clock.read(wall: wall, monotonic: MonotonicTime(nanoseconds: 1_000_000)).believed == Clocks.start + 1)
    }

    @Test func `readings out of order do not set the believed time back`() {
        var clock = ClockGuard(wall: 5_000_000, monotonic: MonotonicTime(nanoseconds: 2_000_000), mark: 1_000_000)
        let first = clock.read(wall: 5_000_001, monotonic: MonotonicTime(nanoseconds: 3_000_000)).believed
        #expect(clock.read(wall: 5_000_000, monotonic: MonotonicTime(nanoseconds: 1_000_000)).believed == first)
    }
}
