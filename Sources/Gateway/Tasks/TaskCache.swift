internal import Base
internal import TaskStore

/// A cache of recently queried tasks, by tenant and id, limited in entries and in bytes. It has two generations; when
/// the younger one is full, the older one is dropped. Any thread may call any function.
final class TaskCache: Sendable {
    struct Key: Hashable {
        let tenant: String
        let id: String

        /// Two tenants rarely have the same id.
        func hash(into hasher: inout Hasher) { hasher.combine(id) }
    }

    private struct Generations {
        var young = CacheGeneration()
        var old = CacheGeneration()
    }

    private let generations = Lock(Generations())
    private let capacity: Int
    private let bytes: Int

    /// - Parameters:
    ///   - capacity: the maximum number of entries per generation; the cache has at most twice as many.
    ///   - bytes: the approximate maximum size of a generation; the cache has at most twice that size, plus one entry.
    ///     The default is enough for `capacity` tasks with answers such as Kling's.
    init(capacity: Int = 4096, bytes: Int = 16 << 20) {
        self.capacity = capacity
        self.bytes = bytes
    }

    /// The approximate size of all entries, in bytes.
    var cost: Int { generations.withLock { $0.young.cost + $0.old.cost } }

    /// The entry of `key`, if it was queried recently.
    func entry(_ key: Key) -> TaskEntry? {
        generations.withLock { generations in
            if let entry = generations.young[key] { return entry }
            guard let entry = generations.old.remove(key) else { return nil }
            keep(entry, key, &generations)
            return entry
        }
    }

    /// Adds `entry`, unless `key` already has an entry, and returns the entry of `key`.
    func insert(_ entry: TaskEntry, _ key: Key) -> TaskEntry {
        generations.withLock { generations in
            if let known = generations.young[key] ?? generations.old[key] { return known }
            keep(entry, key, &generations)
            return entry
        }
    }

    /// Updates the entry of a record that has changed, if there is one.
    func update(_ key: Key, _ record: TaskRecord, now: MonotonicTime) {
        guard let entry = entry(key) else { return }
        entry.update(record, now: now)
        // Its size may have changed, or it may no longer be worth keeping.
        generations.withLock { generations in
            guard generations.young[key] === entry else { return }
            _ = generations.young.remove(key)
            keep(entry, key, &generations)
        }
    }

    private func keep(_ entry: TaskEntry, _ key: Key, _ generations: inout Generations) {
        guard entry.isKept else { return }
        let cost = entry.cost
        if generations.young.count >= capacity || generations.young.count > 0 && generations.young.cost + cost > bytes {
            generations.old = generations.young
            generations.young = CacheGeneration()
        }
        generations.young.add(entry, key, cost)
    }
}

/// Entries, each with its size at the time when it was added.
private struct CacheGeneration {
    private var slots: [TaskCache.Key: (entry: TaskEntry, cost: Int)] = [:]
    private(set) var cost = 0

    var count: Int { slots.count }

    subscript(key: TaskCache.Key) -> TaskEntry? { slots[key]?.entry }

    mutating func add(_ entry: TaskEntry, _ key: TaskCache.Key, _ cost: Int) {
        slots[key] = (entry, cost)
        self.cost += cost
    }

    mutating func remove(_ key: TaskCache.Key) -> TaskEntry? {
        guard let slot = slots.removeValue(forKey: key) else { return nil }
        cost -= slot.cost
        return slot.entry
    }
}
