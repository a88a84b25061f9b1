import Base
import TaskStore

@testable import Gateway

extension TaskSlots {
    /// Takes a slot of `key` for a task if there is room, or for each of several tasks.
    mutating func admit(_ tasks: [TaskID], key: String, limit: Int, now: MonotonicTime) -> Bool {
        guard hasRoom(for: tasks, key: key, limit: limit, now: now) else { return false }
        for task in tasks { take(task, key: key, now: now) }
        return true
    }

    mutating func admit(_ task: TaskID, key: String, limit: Int, now: MonotonicTime) -> Bool {
        admit([task], key: key, limit: limit, now: now)
    }
}

extension RunningTasks {
    /// Takes slots of a key that has a limit, and whose tenant has none.
    func admit(_ tasks: [TaskID], key: String, limit: Int, now: MonotonicTime = .now) -> Bool {
        let principal = Principal(tenant: "shop", keyID: key, limits: Principal.Limits(concurrency: limit))
        return admit(tasks, for: principal, now: now) == nil
    }

    func admit(_ task: TaskID, key: String, limit: Int, now: MonotonicTime = .now) -> Bool {
        admit([task], key: key, limit: limit, now: now)
    }
}
