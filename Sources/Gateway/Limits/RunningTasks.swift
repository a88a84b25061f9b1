internal import Base
internal import TaskStore

/// Which tasks take up a key's concurrency.
struct TaskSlots: Sendable {
    /// How long a task that doesn't end holds its slot.
    static let longest = Duration.seconds(30 * 60)

    private static let leastSweep = 1024

    private struct Slot {
        let task: TaskID
        let takenAt: MonotonicTime
    }

    private var slots: [String: [Slot]] = [:]
    private var keys: [TaskID: String] = [:]
    private var sweepAt = TaskSlots.leastSweep

    /// The number of slots taken by all keys.
    var count: Int { keys.count }

    /// Takes a slot of `key` for a task, if fewer than `limit` are taken. Taking it again changes nothing.
    mutating func admit(_ task: TaskID, key: String, limit: Int, now: MonotonicTime) -> Bool {
        if keys[task] != nil { return true }
        guard hasRoom(for: 1, of: key, limit, now) else { return false }
        take(task, key, now)
        return true
    }

    /// Takes a slot of `key` for each of several tasks: for all of them or for none. Those that have one keep it.
    mutating func admit(_ tasks: [TaskID], key: String, limit: Int, now: MonotonicTime) -> Bool {
        let new = tasks.filter { keys[$0] == nil }
        guard new.isEmpty || hasRoom(for: new.count, of: key, limit, now) else { return false }
        for task in new { take(task, key, now) }
        return true
    }

    /// Frees the slot of a task, if it has one.
    mutating func finish(_ task: TaskID) {
        guard let key = keys.removeValue(forKey: task) else { return }
        slots[key]?.removeAll { $0.task == task }
        if slots[key]?.isEmpty == true { slots[key] = nil }
    }

    private mutating func hasRoom(for count: Int, of key: String, _ limit: Int, _ now: MonotonicTime) -> Bool {
        if keys.count >= sweepAt { sweep(now) }
        if slots[key, default: []].count > limit - count { release(key, now) }
        return slots[key, default: []].count <= limit - count
    }

    private mutating func take(_ task: TaskID, _ key: String, _ now: MonotonicTime) {
        slots[key, default: []].append(Slot(task: task, takenAt: now))
        keys[task] = key
    }

    /// Frees the slots of a key's tasks that have run for too long.
    private mutating func release(_ key: String, _ now: MonotonicTime) {
        for slot in slots[key] ?? [] where now - slot.takenAt >= Self.longest { finish(slot.task) }
    }

    private mutating func sweep(_ now: MonotonicTime) {
        for key in Array(slots.keys) { release(key, now) }
        sweepAt = max(Self.leastSweep, keys.count * 2)
    }
}

/// Limits every key to its number of running tasks, over all threads.
final class RunningTasks: Sendable {
    private let slots = Lock(TaskSlots())

    /// Takes a slot of `key` for a task, if fewer than `limit` are taken. Taking it again changes nothing.
    func admit(_ task: TaskID, key: String, limit: Int, now: MonotonicTime = .now) -> Bool {
        slots.withLock { $0.admit(task, key: key, limit: limit, now: now) }
    }

    /// Takes a slot of `key` for each of several tasks: for all of them or for none. Those that have one keep it.
    func admit(_ tasks: [TaskID], key: String, limit: Int, now: MonotonicTime = .now) -> Bool {
        slots.withLock { $0.admit(tasks, key: key, limit: limit, now: now) }
    }

    /// Frees the slot of a task, if it has one.
    func finish(_ task: TaskID) { slots.withLock { $0.finish(task) } }
}
