internal import TaskStore

/// The waiting tasks of one tenant and need, oldest first.
///
/// Adding the youngest task and taking the oldest take constant time, as does putting back the task that was taken
/// last.
struct QueueLane: Sendable {
    /// Empty places are removed when there are more than this many and they are more than half of all places.
    private static let leastEmpty = 32

    private var places: [QueuedTask?] = []
    private var first = 0

    var isEmpty: Bool { first == places.count }
    var oldest: QueuedTask? { isEmpty ? nil : places[first] }

    /// Inserts a task by its age.
    mutating func insert(_ entry: QueuedTask) {
        guard let oldest, Self.precedes(entry, oldest) else {
            return places.insert(entry, at: place(of: entry))
        }
        if first == 0 { return places.insert(entry, at: 0) }
        first -= 1
        places[first] = entry
    }

    mutating func takeOldest() -> QueuedTask? {
        guard let oldest else { return nil }
        places[first] = nil
        first += 1
        if first > Self.leastEmpty, first > places.count / 2 {
            places.removeFirst(first)
            first = 0
        }
        return oldest
    }

    /// Removes a task wherever it is.
    mutating func remove(_ task: TaskID) -> QueuedTask? {
        guard let index = places.firstIndex(where: { $0?.task == task }) else { return nil }
        return places.remove(at: index)
    }

    /// The first place with a younger task.
    private func place(of entry: QueuedTask) -> Int {
        var (low, high) = (first, places.count)
        while low < high {
            let middle = (low + high) / 2
            if let other = places[middle], Self.precedes(entry, other) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    static func precedes(_ one: QueuedTask, _ other: QueuedTask) -> Bool {
        (one.enqueuedAt, one.task) < (other.enqueuedAt, other.task)
    }
}
