internal import Glibc

/// How many tasks took how long. Buckets are an eighth of an octave wide: what is read from them is at most 4.5 % off.
public struct TimeHistogram: Sendable, Equatable {
    /// The number of tasks by bucket. The last one has everything from 45 days on.
    private var counts: [UInt8: UInt64] = [:]

    init() {}

    /// Adds a task.
    mutating func add(milliseconds: Int64) {
        let bucket = milliseconds < 1 ? 0 : min(255, Int((log2(Double(milliseconds)) * 8).rounded(.down)))
        counts[UInt8(bucket), default: 0] += 1
    }

    /// The time within which a share of the tasks ended, in seconds; nil if there are none.
    /// - Parameter share: 0.5 is the median.
    public func seconds(at share: Double) -> Double? {
        let total = counts.values.reduce(0, +)
        guard total > 0 else { return nil }
        let rank = max(1, UInt64((Double(total) * share).rounded(.up)))
        var seen: UInt64 = 0
        for (bucket, count) in counts.sorted(by: { $0.key < $1.key }) {
            seen += count
            if seen >= rank { return exp2((Double(bucket) + 0.5) / 8) / 1000 }
        }
        return nil
    }

    // MARK: Bytes

    /// For each bucket that has tasks, its number in one byte, and their number in groups of 7 bits, the lowest first.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for (bucket, count) in counts.sorted(by: { $0.key < $1.key }) {
            bytes.append(bucket)
            var rest = count
            while rest >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }
        return bytes
    }

    /// Reads ``bytes``.
    init(_ bytes: [UInt8]) { add(bytes) }

    /// Adds the tasks of another histogram, which is given by its ``bytes``. Damaged ones count up to the damage.
    mutating func add(_ bytes: [UInt8]) {
        var index = 0
        while index < bytes.count {
            let bucket = bytes[index]
            var (count, shift): (UInt64, UInt64) = (0, 0)
            repeat {
                index += 1
                guard index < bytes.count, shift < 63 else { return }
                count |= UInt64(bytes[index] & 0x7F) << shift
                shift += 7
            } while bytes[index] >= 0x80
            index += 1
            counts[bucket, default: 0] += count
        }
    }
}
