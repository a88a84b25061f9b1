internal import Base

/// When something that has to make a least rate is late: an allowance from its start, and time for each byte made.
struct RateDeadline: Hashable, Sendable {
    private let start: MonotonicTime
    private let rate: Int
    private var bytes = 0

    init(from now: MonotonicTime, allowance: Duration, bytesPerSecond rate: Int) {
        start = now + allowance
        self.rate = max(rate, 1)
    }

    /// Bytes have been made.
    mutating func made(_ count: Int) { bytes += count }

    /// The moment from which on it is late.
    var due: MonotonicTime {
        let (seconds, rest) = bytes.quotientAndRemainder(dividingBy: rate)
        return start + .seconds(seconds) + .milliseconds(rest * 1000 / rate)
    }
}
