internal import Base

/// The backoff from a failing store: twice as long after each consecutive failure.
struct StoreBackoff: Sendable {
    private let first: Duration
    private let longest: Duration
    private var failures = 0

    /// - Parameters:
    ///   - first: the pause after a failure.
    ///   - longest: the longest pause.
    init(first: Duration, longest: Duration) { (self.first, self.longest) = (first, longest) }

    /// Whether the last call failed.
    var isActive: Bool { failures > 0 }

    /// How long to wait before the next call.
    var pause: Duration { failures == 0 ? .zero : min(longest, first * (1 << min(failures - 1, 10))) }

    mutating func failed() { failures += 1 }

    mutating func succeeded() { failures = 0 }
}
