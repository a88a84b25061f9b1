internal import Base
internal import TaskStore

/// The tasks asked for lately, by owner and id, bounded in entries and in bytes: of two generations the older is dropped
/// when the younger is full. From any thread.
final class TaskCache: Sendable {
    struct Key: Hashable {
        let tenant: String
        let id: String
    }

    private struct Generations {
        var young = CacheGeneration()
        var old = CacheGeneration()
    }

    private let generations = Lock(Generations())
    private let capacity: Int
    private let bytes: Int

    /// - Parameters:
    ///   - capacity: entries a generation; at most twice as many are kept.
    ///   - bytes: what entries take a generation, about; at most twice as much is kept, and one entry more.
    init(capacity: Int, bytes: Int) {
        self.capacity = capacity
        self.bytes = bytes
    }

    /// What all entries take, about, in bytes.
    var cost: Int { generations.withLock { $0.young.cost + $0.old.cost } }

    /// The entry of `key`, if it was asked for lately.
    func entry(_ key: Key) -> TaskEntry? {
        generations.withLock { generations in
            if let entry = generations.young[key] { return entry }
            guard let entry = generations.old.remove(key) else { return nil }
            keep(entry, key, &generations)
            return entry
        }
    }

    /// The entry of `key`: `entry`, unless somebody was quicker.
    func insert(_ entry: TaskEntry, _ key: Key) -> TaskEntry {
        generations.withLock { generations in
            if let known = generations.young[key] ?? generations.old[key] { return known }
            keep(entry, key, &generations)
            return entry
        }
    }

    /// A record has changed: its entry, if there is one, has it from now on.
    func update(_ key: Key, _ record: TaskRecord, now: MonotonicTime) {
        guard let entry = entry(key) else { return }
        entry.update(record, now: now)
        // It may take more than before, or be worth keeping no more.
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

/// Entries with what each took of the memory when it was put in.
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
