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

    /// Whether a task has a slot.
    func has(_ task: TaskID) -> Bool { slots.place(of: task) != nil }

    /// Whether `key` has room for each of several tasks beside those that it has. Tasks that have a slot need none.
    mutating func hasRoom(for tasks: [TaskID], key: String, limit: Int, now: MonotonicTime) -> Bool {
        let new = tasks.count { !has($0) }
        return new == 0 || hasRoom(for: new, of: key, limit, now)
    }

    /// Takes a slot of `key` for a task. Taking it again changes nothing.
    mutating func take(_ task: TaskID, key: String, now: MonotonicTime) {
        if !has(task) { add(task, key, now) }
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

    private mutating func add(_ task: TaskID, _ key: String, _ now: MonotonicTime) {
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

/// Limits every key and every tenant to its number of running tasks, over all threads. Tasks of those without a limit
/// are not counted.
final class RunningTasks: Sendable {
    /// Why tasks were not admitted.
    struct Refusal: Equatable {
        let owner: LimitOwner
        let limit: Int
    }

    private struct Slots {
        var ofKeys = TaskSlots()
        var ofTenants = TaskSlots()
    }

    private let slots = Lock(Slots())

    /// Takes a slot of the key and one of the tenant for each of several tasks: for all of them or for none. Those that
    /// have one keep it.
    /// - Returns: whose limit has no room; nil if the slots were taken.
    func admit(
        _ tasks: [TaskID], for principal: Principal, now: @autoclosure () -> MonotonicTime = .now
    ) -> Refusal? {
        let (key, tenant) = (principal.limits.concurrency, principal.policy.limits.concurrency)
        if key == nil, tenant == nil { return nil }
        let now = now()
        return slots.withLock { slots in
            if let key, !slots.ofKeys.hasRoom(for: tasks, key: principal.keyID, limit: key, now: now) {
                return Refusal(owner: .key(principal.keyID), limit: key)
            }
            if let tenant, !slots.ofTenants.hasRoom(for: tasks, key: principal.tenant, limit: tenant, now: now) {
                return Refusal(owner: .tenant(principal.tenant), limit: tenant)
            }
            for task in tasks {
                if key != nil { slots.ofKeys.take(task, key: principal.keyID, now: now) }
                if tenant != nil { slots.ofTenants.take(task, key: principal.tenant, now: now) }
            }
            return nil
        }
    }

    /// Takes the slots of a task that runs already, where its key or tenant has a limit, whatever that is.
    /// - Returns: whether a slot was taken.
    @discardableResult
    func restore(_ task: TaskRecord, _ limits: RunningLimits, startedAt: MonotonicTime) -> Bool {
        let key = task.keyID.flatMap { limits.keys.contains($0) ? $0 : nil }
        let isTenantLimited = limits.tenants.contains(task.tenant)
        if key == nil, !isTenantLimited { return false }
        slots.withLock { slots in
            if let key { slots.ofKeys.take(task.id, key: key, now: startedAt) }
            if isTenantLimited { slots.ofTenants.take(task.id, key: task.tenant, now: startedAt) }
        }
        return true
    }

    /// Whether a task takes up a slot, so that a client may wait for its end.
    func has(_ task: TaskID) -> Bool { slots.withLock { $0.ofKeys.has(task) || $0.ofTenants.has(task) } }

    /// Frees the slots of a task, if it has any.
    func finish(_ task: TaskID) {
        slots.withLock { slots in
            slots.ofKeys.finish(task)
            slots.ofTenants.finish(task)
        }
    }
}
