internal import Base
internal import TaskStore

/// Tasks by due time, in buckets of a quarter of a second. Adding a task takes constant time; draining takes time in
/// proportion to what is drained.
///
/// Entries are never removed early. The owner decides, when an entry is drained, whether it is still valid.
struct DueBuckets: Sendable {
    private var buckets: [Int64: [TaskID]] = [:]
    /// The first bucket that has not been drained.
    private var next: Int64
    private static let width: Int64 = 250_000_000

    init(now: MonotonicTime) { next = Self.bucket(at: now) }

    /// The bucket for what is due at `time`. It is never drained before that time.
    func bucket(for time: MonotonicTime) -> Int64 {
        max(next, (time.nanoseconds + Self.width - 1) / Self.width)
    }

    mutating func insert(_ task: TaskID, _ bucket: Int64) { buckets[bucket, default: []].append(task) }

    /// Removes and returns the buckets up to `now`, in order.
    mutating func drain(_ now: MonotonicTime) -> [(bucket: Int64, tasks: [TaskID])] {
        let last = Self.bucket(at: now)
        guard last >= next else { return [] }
        // After a long sleep, there may be fewer buckets than quarters of a second.
        let due = last - next < buckets.count ? Array(next...last) : buckets.keys.filter { $0 <= last }.sorted()
        next = last + 1
        return due.compactMap { bucket in buckets.removeValue(forKey: bucket).map { (bucket, $0) } }
    }

    private static func bucket(at time: MonotonicTime) -> Int64 { time.nanoseconds / width }
}
