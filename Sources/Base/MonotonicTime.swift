internal import Glibc

/// A time on the clock that never jumps (`CLOCK_MONOTONIC`), for deadlines and durations.
public struct MonotonicTime: Hashable, Comparable, Sendable {
    /// Nanoseconds since an arbitrary start.
    public var nanoseconds: Int64

    /// The time `nanoseconds` after the clock's start.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The current time. Reading it takes about 20 ns and no system call.
    public static var now: MonotonicTime {
        MonotonicTime(nanoseconds: nanosecondsOf(CLOCK_MONOTONIC))
    }

    public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The time `duration` after `time`.
    public static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
        MonotonicTime(nanoseconds: time.nanoseconds + duration.nanoseconds)
    }

    /// The time from `earlier` to `later`.
    public static func - (later: MonotonicTime, earlier: MonotonicTime) -> Duration {
        .nanoseconds(later.nanoseconds - earlier.nanoseconds)
    }
}

extension Duration {
    /// The whole duration in nanoseconds; durations beyond 292 years do not fit.
    public var nanoseconds: Int64 {
        // 10^9 is 2^9 * 5^9: without the first factor, durations of up to an hour need no division of 128 bits.
        let isShort = (0..<Int128(1) << 72).contains(attoseconds)
        return isShort ? Int64(attoseconds >> 9) / 1_953_125 : Int64(attoseconds / 1_000_000_000)
    }

    /// The duration in seconds, for metrics and logs.
    public var seconds: Double { Double(nanoseconds) / 1e9 }
}

/// The wall clock, for times that leave the process or outlive it.
public enum WallClock {
    /// Milliseconds since 1970, as Kling's `created_at` counts them.
    public static var milliseconds: Int64 { nanosecondsOf(CLOCK_REALTIME) / 1_000_000 }
    /// Whole seconds since 1970, up to 10 ms late: the system keeps this time, and no hardware clock is read.
    public static var seconds: Int64 { Int64(time(nil)) }
}

private func nanosecondsOf(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
