internal import Base
internal import TaskStore

/// The tasks that take up an account's concurrency: from the reservation to the end, but no longer than a task can run.
struct AccountSlots: Sendable {
    private struct Slot {
        let model: String
        let expiresAt: MonotonicTime
        var stage: Stage
    }

    private enum Stage {
        /// The create has not been answered yet.
        case underWay
        /// Kling has the task, or may have it.
        case running
        /// Kling has said that it doesn't have the task. Nothing is taken up, unless the task is found after all.
        case missing
    }

    private var slots: [TaskID: Slot] = [:]
    /// Creates that have not been answered yet.
    private(set) var underWay = 0
    private var missing = 0
    /// No slot is freed by time alone before this.
    private(set) var firstExpiry: MonotonicTime?

    /// How many slots are taken.
    var count: Int { slots.count - missing }

    /// The model of a task that has a slot.
    func model(of task: TaskID) -> String? { slots[task]?.model }

    /// Takes a slot for a create that begins.
    mutating func take(_ task: TaskID, model: String, until expiry: MonotonicTime) {
        insert(task, Slot(model: model, expiresAt: expiry, stage: .underWay))
    }

    /// Takes a slot for a task that runs already.
    mutating func restore(_ task: TaskID, until expiry: MonotonicTime) {
        insert(task, Slot(model: "", expiresAt: expiry, stage: .running))
    }

    /// Notes that a create was answered, or never will be, or that its task was found.
    /// - Returns: whether it was under way.
    mutating func answered(_ task: TaskID) -> Bool { change(task, to: .running) == .underWay }

    /// Notes that Kling doesn't know a task whose create was left open.
    /// - Returns: whether that has freed its slot.
    mutating func missed(_ task: TaskID) -> Bool { change(task, to: .missing) == .running }

    /// Notes that Kling did not take a create. If one before it was left open, Kling may have the task all the same.
    mutating func declined(_ task: TaskID) {
        if slots[task]?.stage == .underWay { free(task) } else { _ = change(task, to: .missing) }
    }

    /// Frees the slot of a task.
    /// - Returns: whether there is one taken less.
    @discardableResult mutating func free(_ task: TaskID) -> Bool {
        guard let slot = slots.removeValue(forKey: task) else { return false }
        count(slot.stage, -1)
        return slot.stage != .missing
    }

    /// Frees the slots of tasks that are too old to run.
    mutating func expire(now: MonotonicTime) {
        guard let firstExpiry, firstExpiry <= now else { return }
        for (task, slot) in slots where slot.expiresAt <= now { free(task) }
        self.firstExpiry = slots.values.map(\.expiresAt).min()
    }

    private mutating func insert(_ task: TaskID, _ slot: Slot) {
        free(task)
        slots[task] = slot
        count(slot.stage, 1)
        firstExpiry = min(firstExpiry ?? slot.expiresAt, slot.expiresAt)
    }

    /// - Returns: the stage before; nil if the task has no slot.
    private mutating func change(_ task: TaskID, to stage: Stage) -> Stage? {
        guard let before = slots[task]?.stage else { return nil }
        slots[task]?.stage = stage
        count(before, -1)
        count(stage, 1)
        return before
    }

    private mutating func count(_ stage: Stage, _ change: Int) {
        switch stage {
        case .underWay: underWay += change
        case .missing: missing += change
        case .running: break
        }
    }
}
