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
        // Cheaper than through `components`, which divides by 10^18 and takes the remainder as well.
        Int64(attoseconds / 1_000_000_000)
    }

    /// The duration in seconds, for metrics and logs.
    public var seconds: Double { Double(nanoseconds) / 1e9 }
}

/// The wall clock, for times that leave the process or outlive it.
public enum WallClock {
    /// Milliseconds since 1970, as Kling's `created_at` counts them.
    public static var milliseconds: Int64 { nanosecondsOf(CLOCK_REALTIME) / 1_000_000 }
    /// Whole seconds since 1970.
    public static var seconds: Int64 { nanosecondsOf(CLOCK_REALTIME) / 1_000_000_000 }
}

private func nanosecondsOf(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
