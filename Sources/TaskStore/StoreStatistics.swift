/// Counts since the store was opened, and the current lengths of its queues.
public struct StoreStatistics: Sendable, Equatable {
    /// How many transactions that changed something were committed.
    public internal(set) var commits: UInt64 = 0
    /// How many transactions failed as a whole.
    public internal(set) var failures: UInt64 = 0
    /// How long transactions took from their start to the end of their commit, in seconds.
    public internal(set) var commitSeconds = Histogram(bounds: [
        0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5,
    ])
    /// How many writes each transaction contained.
    public internal(set) var writesPerCommit = Histogram(bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256])
    /// The size of the write-ahead log after the last commit, in bytes.
    public internal(set) var logBytes = 0
    /// How many writes wait for their transaction.
    public internal(set) var waitingWrites = 0
    /// How many reads wait for a thread.
    public internal(set) var waitingReads = 0
}

/// Counts of values by size.
public struct Histogram: Sendable, Equatable {
    /// The upper bounds of the buckets, inclusive and ascending.
    public let bounds: [Double]
    /// How many values fell into each bucket, followed by the number above the last bound.
    public private(set) var counts: [UInt64]
    /// The sum of all values.
    public private(set) var sum = 0.0

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    /// How many values were counted.
    public var count: UInt64 { counts.reduce(0, +) }

    mutating func record(_ value: Double) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }
}
