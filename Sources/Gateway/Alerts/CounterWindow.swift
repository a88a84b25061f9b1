internal import Base

/// How much counters have grown in the last minutes.
struct CounterWindow: Sendable {
    private struct Sample: Sendable {
        let time: MonotonicTime
        let counts: [UInt64]
    }

    private let length: Duration
    private var samples: [Sample] = []

    /// Looks back for `length`.
    init(_ length: Duration) { self.length = length }

    /// Adds the counters as they are at `now`.
    /// - Returns: the growth of each since the beginning of the window, or since the first call.
    mutating func growth(_ counts: [UInt64], at now: MonotonicTime) -> [UInt64] {
        samples.append(Sample(time: now, counts: counts))
        // The first sample that stays is the last one from before the window.
        while samples.count > 1, now - samples[1].time >= length { samples.removeFirst() }
        return zip(counts, samples[0].counts).map { $0 >= $1 ? $0 - $1 : 0 }
    }
}
