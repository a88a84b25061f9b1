internal import Base
internal import TaskStore

/// The tasks that count against an account's concurrency: from the reservation until they end or are too old to be
/// running.
struct AccountSlots: Sendable {
    private struct Slot {
        let expiresAt: MonotonicTime
        /// The number of the model in `models`.
        let model: UInt32
        var stage: Stage
    }

    private enum Stage: UInt8 {
        /// The create has not been answered yet.
        case underWay
        /// Kling has the task, or may have it.
        case running
        /// Kling has said that it doesn't have the task. It takes up no slot, unless the task is found after all.
        case missing
    }

    private var slots = TaskTable<Slot>()
    /// All slots, those that expire first in front.
    private var byExpiry = TaskChain()
    /// The models of creates so far. Few: the gateway refuses models that it doesn't know.
    private var models: [String] = []
    /// Creates that have not been answered yet.
    private(set) var underWay = 0
    /// Tasks of which Kling has said that it does not have them.
    private(set) var missing = 0

    /// How many tasks other gateways run at the account.
    var elsewhere = 0

    /// How many slots are taken, here.
    var count: Int { slots.count - missing }

    /// How many slots are taken, by this gateway and others.
    var taken: Int { count + elsewhere }

    /// When the next slot expires.
    var firstExpiry: MonotonicTime? { slots.first(of: byExpiry).map { slots[$0].expiresAt } }

    /// The model of a task that has a slot.
    func model(of task: TaskID) -> String? { slots.value(of: task).map { models[Int($0.model)] } }

    /// Takes a slot for a new create.
    mutating func take(_ task: TaskID, model: String, until expiry: MonotonicTime) {
        insert(task, Slot(expiresAt: expiry, model: number(of: model), stage: .underWay))
    }

    /// Takes a slot for a task that is already running. Of many, restore those that expire first before the others.
    mutating func restore(_ task: TaskID, until expiry: MonotonicTime) {
        insert(task, Slot(expiresAt: expiry, model: number(of: ""), stage: .running))
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
        if slots.value(of: task)?.stage == .underWay { free(task) } else { _ = change(task, to: .missing) }
    }

    /// Frees the slot of a task.
    /// - Returns: whether this freed a slot that was taken.
    @discardableResult mutating func free(_ task: TaskID) -> Bool {
        guard let place = slots.place(of: task) else { return false }
        return free(at: place) != .missing
    }

    /// Frees the slots of tasks that are too old to be running.
    mutating func expire(now: MonotonicTime) {
        while let place = slots.first(of: byExpiry), slots[place].expiresAt <= now { _ = free(at: place) }
    }

    private mutating func insert(_ task: TaskID, _ slot: Slot) {
        free(task)
        slots.insert(slots.insert(task, slot), into: &byExpiry) { $0.expiresAt < $1.expiresAt }
        count(slot.stage, 1)
    }

    private mutating func free(at place: Int) -> Stage {
        let stage = slots[place].stage
        slots.remove(place, from: &byExpiry)
        slots.remove(at: place)
        count(stage, -1)
        return stage
    }

    /// - Returns: the stage before; nil if the task has no slot.
    private mutating func change(_ task: TaskID, to stage: Stage) -> Stage? {
        guard let place = slots.place(of: task) else { return nil }
        let before = slots[place].stage
        slots[place].stage = stage
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

    private mutating func number(of model: String) -> UInt32 {
        if let number = models.firstIndex(of: model) { return UInt32(number) }
        models.append(model)
        return UInt32(models.count - 1)
    }
}
