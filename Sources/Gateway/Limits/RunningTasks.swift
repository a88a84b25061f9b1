internal import Base
internal import TaskStore

/// Which tasks take up a key's concurrency.
struct TaskSlots: Sendable {
    /// How long a task that doesn't end holds its slot.
    static let longest = Duration.seconds(30 * 60)

    private static let leastSweep = 1024

    private struct Slot {
        let takenAt: MonotonicTime
        /// The number of the key in `keys`.
        let key: UInt32
    }

    /// A key with tasks.
    private struct Key {
        let id: String
        var slots = TaskChain()
    }

    private var slots = TaskTable<Slot>()
    private var keys: [Key] = []
    private var numbers: [String: UInt32] = [:]
    /// The numbers that no key has.
    private var unusedNumbers: [UInt32] = []
    private var sweepAt = TaskSlots.leastSweep

    /// The number of slots taken by all keys.
    var count: Int { slots.count }

    /// Takes a slot of `key` for a task, if fewer than `limit` are taken. Taking it again changes nothing.
    mutating func admit(_ task: TaskID, key: String, limit: Int, now: MonotonicTime) -> Bool {
        if slots.place(of: task) != nil { return true }
        guard hasRoom(for: 1, of: key, limit, now) else { return false }
        take(task, key, now)
        return true
    }

    /// Takes a slot of `key` for each of several tasks: for all of them or for none. Those that have one keep it.
    mutating func admit(_ tasks: [TaskID], key: String, limit: Int, now: MonotonicTime) -> Bool {
        let new = tasks.filter { slots.place(of: $0) == nil }
        guard new.isEmpty || hasRoom(for: new.count, of: key, limit, now) else { return false }
        for task in new { take(task, key, now) }
        return true
    }

    /// Frees the slot of a task, if it has one.
    mutating func finish(_ task: TaskID) {
        if let place = slots.place(of: task) { free(place) }
    }

    private func count(_ key: String) -> Int { numbers[key].map { keys[Int($0)].slots.count } ?? 0 }

    private mutating func hasRoom(for count: Int, of key: String, _ limit: Int, _ now: MonotonicTime) -> Bool {
        if slots.count >= sweepAt { sweep(now) }
        if self.count(key) > limit - count, let number = numbers[key] { release(keys[Int(number)].slots, now) }
        return self.count(key) <= limit - count
    }

    private mutating func take(_ task: TaskID, _ key: String, _ now: MonotonicTime) {
        let number = number(of: key)
        let place = slots.insert(task, Slot(takenAt: now, key: number))
        slots.append(place, to: &keys[Int(number)].slots)
    }

    private mutating func free(_ place: Int) {
        let number = slots[place].key
        slots.remove(place, from: &keys[Int(number)].slots)
        slots.remove(at: place)
        guard keys[Int(number)].slots.count == 0 else { return }
        numbers[keys[Int(number)].id] = nil
        unusedNumbers.append(number)
    }

    /// Frees the slots of a key's tasks that have run for too long.
    private mutating func release(_ chain: TaskChain, _ now: MonotonicTime) {
        var place = slots.first(of: chain)
        while let this = place {
            place = slots.next(after: this)
            if now - slots[this].takenAt >= Self.longest { free(this) }
        }
    }

    private mutating func sweep(_ now: MonotonicTime) {
        for number in Array(numbers.values) { release(keys[Int(number)].slots, now) }
        sweepAt = max(Self.leastSweep, slots.count * 2)
    }

    private mutating func number(of key: String) -> UInt32 {
        if let number = numbers[key] { return number }
        let number = unusedNumbers.popLast() ?? UInt32(keys.count)
        if Int(number) == keys.count { keys.append(Key(id: key)) } else { keys[Int(number)] = Key(id: key) }
        numbers[key] = number
        return number
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
