internal import Base

/// Limits how long a server reads on from a connection that it is about to close.
///
/// Closing a socket with unread input resets the connection (RFC 9112 §9.6), and the client may lose the answer. Some
/// proxies read an early answer only after they have sent all of a large body, so the limits are time and the rate at
/// which data arrives, not its size (decision 27).
struct LingerDeadline {
    private var transfer: RateDeadline
    private let pause: Duration
    private let end: MonotonicTime

    /// - Parameters:
    ///   - pause: how long the client may send nothing. The minimum rate also applies only after this time.
    ///   - rate: the minimum rate.
    ///   - limit: the longest time in total.
    init(from now: MonotonicTime, pause: Duration, bytesPerSecond rate: Int, limit: Duration) {
        transfer = RateDeadline(from: now, allowance: pause, bytesPerSecond: rate)
        self.pause = pause
        end = now + limit
    }

    /// Records that `count` bytes arrived.
    /// - Returns: when to close.
    mutating func received(_ count: Int, at now: MonotonicTime) -> MonotonicTime {
        transfer.transferred(count)
        return min(now + pause, transfer.due, end)
    }
}
