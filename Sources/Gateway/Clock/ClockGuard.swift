internal import Base

/// Judges the wall clock by the monotonic one. A value: readings of both in, the time to go by out.
///
/// It keeps a time of its own, ``believed``, that goes on with the monotonic clock. The wall clock is followed while it
/// agrees. When it jumps, in either direction and however far, it is not believed before it has kept to its new time for
/// a day; and then a forward jump is made good by at most a day an hour, because what is deleted for its age is gone.
///
/// What is written down gets the later of the two times, and what is over is judged by the believed one. So nothing is
/// ever taken for older than it is: `believed` has gone on no faster than time itself since anything was written, but
/// for a clock that was wrong, without a break, for more than a day.
///
/// All times are milliseconds since 1970.
struct ClockGuard: Sendable {
    /// How far the two may be apart and still agree. The restart of a gateway takes less.
    static let tolerance: Int64 = 60_000
    /// How long a clock that has jumped must keep to its new time to be believed. No `Idempotency-Key` lives longer.
    static let probation: Int64 = 86_400_000
    /// By how many milliseconds the believed time then comes nearer to a wall clock ahead of it, in each millisecond.
    static let catchUp: Int64 = 24
    /// Times outside are taken for the nearest inside: 1970 to 9999.
    static let range: ClosedRange<Int64> = 0...253_402_300_799_000

    /// What the clocks say at one moment.
    struct Reading: Sendable, Equatable {
        let wall: Int64
        /// The time that has surely come: what is over by its age is judged by it.
        let believed: Int64
        /// What is written down.
        var now: Int64 { max(wall, believed) }
        /// How far the wall clock is ahead of what is believed; 0 while they agree, negative for behind.
        var disagreement: Int64 { abs(wall - believed) <= ClockGuard.tolerance ? 0 : wall - believed }
    }

    /// The believed time, as its distance from the monotonic clock: it never drifts, however often it is read.
    private var offset: Int64
    /// Where the wall clock was when it last jumped, and when that was, on the monotonic clock.
    private var shown: Int64
    private var shownSince: Int64
    private var readAt: Int64

    /// Begins with a wall clock of which nothing is known.
    /// - Parameter mark: the time that surely has come: the last that was believed. Nil if nothing is known at all: the
    ///   wall clock is believed.
    init(wall: Int64, monotonic: MonotonicTime, mark: Int64? = nil) {
        let (at, wall) = (monotonic.nanoseconds / 1_000_000, Self.clamped(wall))
        let believed = Self.clamped(mark ?? wall)
        (readAt, shownSince) = (at, at)
        shown = wall - at
        offset = (abs(wall - believed) <= Self.tolerance ? wall : believed) - at
    }

    /// Takes a reading of both clocks.
    mutating func read(wall: Int64, monotonic: MonotonicTime) -> Reading {
        let at = max(readAt, monotonic.nanoseconds / 1_000_000)
        let elapsed = at - readAt
        readAt = at
        let wall = Self.clamped(wall)
        if abs(wall - at - shown) > Self.tolerance { (shown, shownSince) = (wall - at, at) }
        let gap = wall - at - offset
        if abs(gap) <= Self.tolerance {
            offset += gap
        } else if at - shownSince >= Self.probation {
            offset += min(gap, elapsed * Self.catchUp)
        }
        return Reading(wall: wall, believed: at + offset)
    }

    private static func clamped(_ time: Int64) -> Int64 { min(max(time, range.lowerBound), range.upperBound) }
}
