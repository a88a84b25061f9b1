internal import Base
internal import TaskStore

/// The tasks that count against an account's concurrency: from the reservation until they end or are too old to be
/// running.
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
        /// Kling has said that it doesn't have the task. It takes up no slot, unless the task is found after all.
        case missing
    }

    private var slots: [TaskID: Slot] = [:]
    /// Creates that have not been answered yet.
    private(set) var underWay = 0
    private var missing = 0
    /// No slot expires before this time.
    private(set) var firstExpiry: MonotonicTime?

    /// How many slots are taken.
    var count: Int { slots.count - missing }

    /// The model of a task that has a slot.
    func model(of task: TaskID) -> String? { slots[task]?.model }

    /// Takes a slot for a new create.
    mutating func take(_ task: TaskID, model: String, until expiry: MonotonicTime) {
        insert(task, Slot(model: model, expiresAt: expiry, stage: .underWay))
    }

    /// Takes a slot for a task that is already running.
    mutating func restore(_ task: TaskID, until expiry: MonotonicTime) {
        insert(task, Slot(model: "", expiresAt: expiry, stage: .running))
    }

    /// Records that a create was answered or never will be, or that its task was found.
    /// - Returns: whether the create was unanswered until now.
    mutating func answered(_ task: TaskID) -> Bool { change(task, to: .running) == .underWay }

    /// Records that Kling doesn't know a task whose create had an unknown outcome.
    /// - Returns: whether this freed its slot.
    mutating func missed(_ task: TaskID) -> Bool { change(task, to: .missing) == .running }

    /// Records that Kling rejected a create. If an earlier create of the task had an unknown outcome, Kling may still
    /// have the task.
    mutating func declined(_ task: TaskID) {
        if slots[task]?.stage == .underWay { free(task) } else { _ = change(task, to: .missing) }
    }

    /// Frees the slot of a task.
    /// - Returns: whether this freed a slot that was taken.
    @discardableResult mutating func free(_ task: TaskID) -> Bool {
        guard let slot = slots.removeValue(forKey: task) else { return false }
        count(slot.stage, -1)
        return slot.stage != .missing
    }

    /// Frees the slots of tasks that are too old to be running.
    mutating func expire(now: MonotonicTime) {
        guard let firstExpiry, firstExpiry <= now else { return }
        for (task, slot) in slots where slot.expiresAt <= now { free(task) }
        self.firstExpiry = slots.values.map(\.expiresAt).min()
    }

    private mutating func insert(_ task: TaskID, _ slot: Slot) {
        if let old = slots.updateValue(slot, forKey: task) { count(old.stage, -1) }
        count(slot.stage, 1)
        firstExpiry = min(firstExpiry ?? slot.expiresAt, slot.expiresAt)
    }

    /// - Returns: the stage before; nil if the task has no slot.
    private mutating func change(_ task: TaskID, to stage: Stage) -> Stage? {
        guard let place = slots.index(forKey: task) else { return nil }
        let before = slots.values[place].stage
        slots.values[place].stage = stage
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
