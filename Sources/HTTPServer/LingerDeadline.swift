internal import Base

/// How long a closing server goes on reading what its client still sends, which keeps the answer readable: closing a
/// socket with unread input resets the connection (RFC 9112 §9.6). A proxy may read an early answer only after it has
/// sent all of a large body, so time and the rate of what arrives are the bounds, not its size (decision 27).
struct LingerDeadline {
    private var transfer: RateDeadline
    private let pause: Duration
    private let end: MonotonicTime

    /// - Parameters:
    ///   - pause: how long the client may send nothing; also its allowance before the minimum rate counts.
    ///   - limit: the longest time in all.
    init(from now: MonotonicTime, pause: Duration, bytesPerSecond rate: Int, limit: Duration) {
        transfer = RateDeadline(from: now, allowance: pause, bytesPerSecond: rate)
        self.pause = pause
        end = now + limit
    }

    /// Records that `count` bytes arrived.
    /// - Returns: when to close.
    mutating func received(_ count: Int, at now: MonotonicTime) -> MonotonicTime {
        transfer.made(count)
        return min(now + pause, transfer.due, end)
    }
}
