internal import Base
internal import TaskStore

/// The tasks that take up an account's concurrency: from the reservation to the end, but no longer than a task can run.
struct AccountSlots: Sendable {
    private struct Slot {
        let model: String
        let expiresAt: MonotonicTime
        var isUnderWay: Bool
    }

    private var slots: [TaskID: Slot] = [:]
    /// Creates that have not been answered yet.
    private(set) var underWay = 0
    /// No slot is freed by time alone before this.
    private(set) var firstExpiry: MonotonicTime?

    /// How many slots are taken.
    var count: Int { slots.count }

    /// The model of a task that has a slot.
    func model(of task: TaskID) -> String? { slots[task]?.model }

    /// Takes a slot for a create that begins.
    mutating func take(_ task: TaskID, model: String, until expiry: MonotonicTime) {
        insert(task, Slot(model: model, expiresAt: expiry, isUnderWay: true))
    }

    /// Takes a slot for a task that runs already.
    mutating func restore(_ task: TaskID, until expiry: MonotonicTime) {
        insert(task, Slot(model: "", expiresAt: expiry, isUnderWay: false))
    }

    /// Notes that a create was answered, or never will be.
    /// - Returns: whether it was under way.
    mutating func answered(_ task: TaskID) -> Bool {
        guard slots[task]?.isUnderWay == true else { return false }
        slots[task]?.isUnderWay = false
        underWay -= 1
        return true
    }

    /// Frees the slot of a task.
    /// - Returns: whether it had one.
    @discardableResult mutating func free(_ task: TaskID) -> Bool {
        guard let slot = slots.removeValue(forKey: task) else { return false }
        if slot.isUnderWay { underWay -= 1 }
        return true
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
        if slot.isUnderWay { underWay += 1 }
        firstExpiry = min(firstExpiry ?? slot.expiresAt, slot.expiresAt)
    }
}
