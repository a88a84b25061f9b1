internal import Base
internal import TaskStore

/// What is due when, by whole seconds: to add costs the same however much there is, to take as much as is taken.
///
/// Nothing is ever taken out before its time: its owner knows whether it still means something then.
struct DueBuckets: Sendable {
    private var buckets: [Int64: [TaskID]] = [:]
    /// The first second that has not been drained.
    private var next: Int64

    init(now: MonotonicTime) { next = Self.second(now) }

    /// The second in which what is due at `time` is drained: it is never drained before.
    func bucket(for time: MonotonicTime) -> Int64 {
        max(next, (time.nanoseconds + 999_999_999) / 1_000_000_000)
    }

    mutating func insert(_ task: TaskID, _ bucket: Int64) { buckets[bucket, default: []].append(task) }

    /// Takes the buckets up to `now`, in their order.
    mutating func drain(_ now: MonotonicTime) -> [(bucket: Int64, tasks: [TaskID])] {
        let last = Self.second(now)
        guard last >= next else { return [] }
        // After a long sleep there are fewer buckets than seconds.
        let seconds =
            last - next < buckets.count ? Array(next...last) : buckets.keys.filter { $0 <= last }.sorted()
        next = last + 1
        return seconds.compactMap { second in buckets.removeValue(forKey: second).map { (second, $0) } }
    }

    private static func second(_ time: MonotonicTime) -> Int64 { time.nanoseconds / 1_000_000_000 }
}

/// Tasks in a line, first come first served.
struct TaskLine: Sendable {
    private var tasks: [TaskID] = []
    private var first = 0

    var count: Int { tasks.count - first }

    mutating func append(_ task: TaskID) { tasks.append(task) }

    /// Takes up to `limit` of those that are `wanted`, and drops the others that it comes across.
    mutating func take(_ limit: Int = .max, where wanted: (TaskID) -> Bool) -> [TaskID] {
        var taken: [TaskID] = []
        while first < tasks.count, taken.count < limit {
            if wanted(tasks[first]) { taken.append(tasks[first]) }
            first += 1
        }
        if first > tasks.count / 2 {
            tasks.removeFirst(first)
            first = 0
        }
        return taken
    }
}
