/// Changes of tasks that callbacks report, in a binary heap ordered by the time when they are due.
struct CallbackQueue: Sendable {
    /// One change.
    struct Entry: Sendable, Hashable {
        /// When to report it, in milliseconds since 1970.
        let due: Int
        let taskID: String
        /// When the task changed, in milliseconds since 1970. The callback reports the state at that time.
        let changedAt: Int
    }

    private struct Node: Sendable {
        let entry: Entry
        let number: Int

        /// Whether this node is due earlier, or at the same time and was added earlier.
        func comes(before other: Node) -> Bool { (entry.due, number) < (other.entry.due, other.number) }
    }

    /// Each node comes before its two children, at `2 * index + 1` and `2 * index + 2`.
    private var nodes: [Node] = []
    private var added = 0

    /// When the next change is due.
    var nextDeadline: Int? { nodes.first?.entry.due }

    /// Adds the changes that a new task goes through.
    mutating func add(_ task: SimulatedTask) {
        // A task that ends at once has no states in between.
        for time in Set([task.createdAt, task.processingAt, task.endsAt]).sorted() {
            add(Entry(due: time, taskID: task.id, changedAt: time))
        }
    }

    /// Adds a change.
    mutating func add(_ entry: Entry) {
        nodes.append(Node(entry: entry, number: added))
        added += 1
        var index = nodes.count - 1
        while index > 0, nodes[index].comes(before: nodes[(index - 1) / 2]) {
            nodes.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    /// Removes and returns the next change that is due at `now`, if any.
    mutating func take(now: Int) -> Entry? {
        guard let next = nodes.first, next.entry.due <= now else { return nil }
        nodes.swapAt(0, nodes.count - 1)
        nodes.removeLast()
        sinkFirst()
        return next.entry
    }

    private mutating func sinkFirst() {
        var index = 0
        while 2 * index + 1 < nodes.count {
            let (left, right) = (2 * index + 1, 2 * index + 2)
            let child = right < nodes.count && nodes[right].comes(before: nodes[left]) ? right : left
            guard nodes[child].comes(before: nodes[index]) else { return }
            nodes.swapAt(index, child)
            index = child
        }
    }
}
