internal import Base

/// How often a task is checked, by its age and by whether something waits for it.
enum WatchPace {
    /// The pauses between checks of a task that something waits for; they grow with its age. Even with jitter and
    /// rounded up to a bucket, the shortest makes the task due at each tick.
    static let awaited = Duration.milliseconds(500)...Duration.seconds(5)
    /// The pauses between checks of a task that nothing waits for: as long as the task is old.
    static let unawaited = Duration.seconds(60)...Duration.seconds(600)
    /// The pauses for a task that Kling doesn't know: as long as Kling hasn't known it.
    static let unknown = Duration.seconds(1)...Duration.seconds(600)
    /// An awaited task's pause is this fraction of its age: the shortest up to 5 min, for which an answer may be held,
    /// and the longest from 50 min on.
    private static let awaitedSlope: Int64 = 600

    /// The pause between a check and the next one.
    static func pause(age: Duration, isAwaited: Bool) -> Duration {
        isAwaited ? clamp(age / awaitedSlope, awaited) : clamp(age, unawaited)
    }

    /// The pause before the next check after Kling said that it doesn't know the task.
    static func pause(unknownFor time: Duration) -> Duration { clamp(time, unknown) }

    /// The pause before the first check of a task. A new task waits for the shortest pause; one from before a restart
    /// is checked at a random time within its pause, so that not all are checked at once.
    static func first(age: Duration, isAwaited: Bool, _ spread: inout Spread) -> Duration {
        let look = isAwaited ? awaited.lowerBound : unawaited.lowerBound
        if age < look { return spread.around(look - age) }
        return spread.below(pause(age: age, isAwaited: isAwaited))
    }

    private static func clamp(_ time: Duration, _ range: ClosedRange<Duration>) -> Duration {
        min(max(time, range.lowerBound), range.upperBound)
    }
}

/// Jitter, so that what began together doesn't stay together: a small generator (SplitMix64), deterministic for each
/// seed.
struct Spread: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// `time`, plus or minus up to a tenth.
    mutating func around(_ time: Duration) -> Duration {
        let tenth = time.nanoseconds / 10
        return time + .nanoseconds(Int64.random(in: -tenth...tenth, using: &self))
    }

    /// A random time below `time`.
    mutating func below(_ time: Duration) -> Duration {
        .nanoseconds(Int64.random(in: 0..<max(1, time.nanoseconds), using: &self))
    }
}
