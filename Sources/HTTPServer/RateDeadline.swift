internal import Base

/// The deadline of a transfer with a minimum rate: an allowance from its start, and time for each byte transferred.
struct RateDeadline: Hashable, Sendable {
    private let start: MonotonicTime
    private let rate: Int
    private var bytes = 0

    init(from now: MonotonicTime, allowance: Duration, bytesPerSecond rate: Int) {
        start = now + allowance
        self.rate = max(rate, 1)
    }

    /// Records that `count` bytes were transferred.
    mutating func transferred(_ count: Int) { bytes += count }

    /// The time from which the transfer is late.
    var due: MonotonicTime {
        let (seconds, rest) = bytes.quotientAndRemainder(dividingBy: rate)
        return start + .seconds(seconds) + .milliseconds(rest * 1000 / rate)
    }
}
