internal import Base

/// How often a task is looked at, by its age and by whether somebody waits for it.
enum WatchPace {
    /// The pauses before each look at a task that somebody waits for, the longer the older the task is. With the
    /// shortest, spread and rounded up to a bucket, each tick finds the task due.
    static let awaited = Duration.milliseconds(500)...Duration.seconds(5)
    /// The pauses between looks at a task that nobody waits for: as long as the task is old.
    static let swept = Duration.seconds(60)...Duration.seconds(600)
    /// The pauses of a task that Kling doesn't know: as long as it hasn't.
    static let unknown = Duration.seconds(1)...Duration.seconds(600)
    /// The part of its age that an awaited task's pause is: it is the shortest up to 5 min, for which an answer may be
    /// held, and the longest from 50 min on.
    private static let awaitedSlope: Int64 = 600

    /// How long after a look the next one is.
    static func pause(age: Duration, isAwaited: Bool) -> Duration {
        isAwaited ? clamp(age / awaitedSlope, awaited) : clamp(age, swept)
    }

    /// How long after Kling said that it doesn't know the task the next look is.
    static func pause(unknownFor time: Duration) -> Duration { clamp(time, unknown) }

    /// How long after it comes to be watched a task is first looked at. A new task waits for its first look; one that
    /// was there before a restart is looked at somewhere within a pause, so that they don't all come at once.
    static func first(age: Duration, isAwaited: Bool, _ spread: inout Spread) -> Duration {
        let look = isAwaited ? awaited.lowerBound : swept.lowerBound
        if age < look { return spread.around(look - age) }
        return spread.below(pause(age: age, isAwaited: isAwaited))
    }

    private static func clamp(_ time: Duration, _ range: ClosedRange<Duration>) -> Duration {
        min(max(time, range.lowerBound), range.upperBound)
    }
}

/// Keeps what began together from staying together: a small generator (SplitMix64), the same for the same seed.
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

    /// `time`, up to a tenth more or less.
    mutating func around(_ time: Duration) -> Duration {
        let tenth = time.nanoseconds / 10
        return time + .nanoseconds(Int64.random(in: -tenth...tenth, using: &self))
    }

    /// Any time before `time`.
    mutating func below(_ time: Duration) -> Duration {
        .nanoseconds(Int64.random(in: 0..<max(1, time.nanoseconds), using: &self))
    }
}

/// How long an account is left alone after calls to it failed.
struct Backoff: Sendable {
    /// The longest.
    static let longest = Duration.seconds(60)

    private let shortest: Duration
    private var pause = Duration.zero
    private var resumeAt: MonotonicTime?

    init(shortest: Duration) { self.shortest = shortest }

    /// Whether the last call failed.
    var isProbing: Bool { resumeAt != nil }

    /// Whether calls may be made.
    func isOver(_ now: MonotonicTime) -> Bool { resumeAt.map { now >= $0 } ?? true }

    /// A call failed. Those that fail together count once.
    mutating func failed(_ now: MonotonicTime, _ spread: inout Spread) {
        guard isOver(now) else { return }
        pause = min(max(pause * 2, shortest), Self.longest)
        resumeAt = now + min(spread.around(pause), Self.longest)
    }

    /// A call was answered.
    mutating func succeeded() {
        pause = .zero
        resumeAt = nil
    }
}
