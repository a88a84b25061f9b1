internal import Base

/// Judges the wall clock by the monotonic one. A value: readings of both go in, the time to use comes out.
///
/// It keeps a *believed* time of its own, which advances with the monotonic clock. The wall clock is followed while it
/// agrees. After a jump, in either direction and of any size, it is not believed until it has kept to its new time for
/// a day. A forward jump is then caught up with by at most a day per hour, because what is deleted for its age is gone.
///
/// Records get the later of the two times, and expire by the believed one. So nothing is ever considered older than it
/// is: since a record was written, the believed time has advanced no faster than time itself, unless the clock was
/// wrong for more than a day without a break.
///
/// All times are milliseconds since 1970.
struct ClockGuard: Sendable {
    /// How far the two may be apart and still agree. A restart of the gateway takes less.
    static let tolerance: Int64 = 60_000
    /// How long a clock that has jumped must keep to its new time to be believed. No `Idempotency-Key` lives longer.
    static let probation: Int64 = 86_400_000
    /// How many milliseconds per millisecond the believed time then gains on a wall clock that is ahead of it.
    static let catchUp: Int64 = 24
    /// The range that times are clamped to: 1970 to 9999.
    static let range: ClosedRange<Int64> = 0...253_402_300_799_000

    /// What the clocks say at one moment.
    struct Reading: Sendable, Equatable {
        let wall: Int64
        /// The believed time, which has certainly been reached: records expire by it.
        let believed: Int64
        /// The time to write into records.
        var now: Int64 { max(wall, believed) }
        /// How far the wall clock is ahead of the believed time; 0 while they agree, negative if it is behind.
        var disagreement: Int64 { abs(wall - believed) <= ClockGuard.tolerance ? 0 : wall - believed }
    }

    /// The believed time, as its distance from the monotonic clock: it never drifts, however often it is read.
    private var believedOffset: Int64
    /// The wall clock's distance from the monotonic clock since its last jump, and the monotonic time of that jump.
    private var wallOffset: Int64
    private var wallOffsetSince: Int64
    private var readAt: Int64

    /// Starts with a wall clock that has not been observed yet.
    /// - Parameter mark: the last believed time of the previous process. Nil if there is none; then the wall clock is
    ///   believed.
    init(wall: Int64, monotonic: MonotonicTime, mark: Int64? = nil) {
        let (at, wall) = (monotonic.nanoseconds / 1_000_000, Self.clamped(wall))
        let believed = Self.clamped(mark ?? wall)
        (readAt, wallOffsetSince) = (at, at)
        wallOffset = wall - at
        believedOffset = (abs(wall - believed) <= Self.tolerance ? wall : believed) - at
    }

    /// Takes a reading of both clocks.
    mutating func read(wall: Int64, monotonic: MonotonicTime) -> Reading {
        let at = max(readAt, monotonic.nanoseconds / 1_000_000)
        let elapsed = at - readAt
        readAt = at
        let wall = Self.clamped(wall)
        if abs(wall - at - wallOffset) > Self.tolerance { (wallOffset, wallOffsetSince) = (wall - at, at) }
        let gap = wall - at - believedOffset
        if abs(gap) <= Self.tolerance {
            believedOffset += gap
        } else if at - wallOffsetSince >= Self.probation {
            believedOffset += min(gap, elapsed * Self.catchUp)
        }
        return Reading(wall: wall, believed: at + believedOffset)
    }

    private static func clamped(_ time: Int64) -> Int64 { min(max(time, range.lowerBound), range.upperBound) }
}
