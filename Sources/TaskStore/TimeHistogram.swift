internal import Glibc

/// How many tasks took how long. Buckets are an eighth of an octave wide: what is read from them is at most 4.5 % off.
public struct TimeHistogram: Sendable, Equatable {
    /// The number of tasks by bucket.
    private var counts: [Int: Int64] = [:]

    init() {}

    /// The bucket of a duration in milliseconds.
    static func bucket(of milliseconds: Int64) -> Int {
        milliseconds < 1 ? 0 : Int((log2(Double(milliseconds)) * 8).rounded(.down))
    }

    mutating func add(_ count: Int64, bucket: Int) { counts[bucket, default: 0] += count }

    /// The time within which a share of the tasks ended, in seconds; nil if there are none.
    /// - Parameter share: 0.5 is the median.
    public func seconds(at share: Double) -> Double? {
        let total = counts.values.reduce(0, +)
        guard total > 0 else { return nil }
        let rank = max(1, Int64((Double(total) * share).rounded(.up)))
        var seen: Int64 = 0
        for (bucket, count) in counts.sorted(by: { $0.key < $1.key }) {
            seen += count
            if seen >= rank { return exp2((Double(bucket) + 0.5) / 8) / 1000 }
        }
        return nil
    }
}
