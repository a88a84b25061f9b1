internal import Base

/// Permits an action at most once per interval. Any thread may call it.
final class Throttle: Sendable {
    private let last = Lock<MonotonicTime?>(nil)

    /// Takes the permission if it is available.
    /// - Returns: whether at least an `interval` has passed since this last returned true.
    func take(every interval: Duration, now: MonotonicTime) -> Bool {
        last.withLock { last in
            if let last, now - last < interval { return false }
            last = now
            return true
        }
    }
}
