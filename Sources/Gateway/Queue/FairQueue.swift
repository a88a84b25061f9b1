internal import TaskStore

/// The creates that wait for an account with room. It decides which are admitted and which is tried next.
///
/// Room is reserved before a body is written to the spool, so that concurrent creates never exceed the bounds. Tenants
/// take turns. Within a tenant, the oldest task whose need an account can meet goes first. A task that was handed out
/// counts until it is removed.
struct FairQueue: Sendable {
    private var room: QueueRoom
    private var waiting: [String: [QueueNeed: QueueLane]] = [:]
    /// The tenants that have waiting tasks; the first is next.
    private var turns: [String] = []
    private var needs: [QueueNeed: Int] = [:]
    private var handedOut: [TaskID: QueuedTask] = [:]

    init(_ bounds: QueueBounds) { room = QueueRoom(bounds) }

    /// How many tasks count: those waiting, those handed out, and the reservations.
    var count: Int { room.tasks }
    /// How many bytes count.
    var bytes: Int { room.bytes }
    /// How many tasks wait.
    var waitingCount: Int { needs.values.reduce(0, +) }
    /// When the oldest waiting task was queued, in milliseconds since 1970.
    var oldest: Int64? {
        waiting.values.lazy.flatMap { $0.values }.compactMap { $0.oldest?.enqueuedAt }.min()
    }

    // MARK: Enqueue

    /// Reserves room for a task, or for all tasks of a job or none.
    mutating func admit(tasks: Int = 1, bytes: Int) throws(QueueRefusal) -> QueueReservation {
        try room.reserve(tasks: tasks, bytes: bytes)
    }

    /// Queues tasks with reserved room, after they were written to the spool and the store.
    mutating func confirm(_ reservation: QueueReservation, _ entries: [QueuedTask]) {
        room.free(tasks: reservation.tasks, bytes: reservation.bytes)
        restore(entries)
    }

    /// Releases a reservation that was not used.
    mutating func cancel(_ reservation: QueueReservation) {
        room.free(tasks: reservation.tasks, bytes: reservation.bytes)
    }

    /// Restores what was queued before a restart, even above the bounds.
    mutating func restore(_ entries: [QueuedTask]) {
        for entry in entries {
            room.take(tasks: 1, bytes: entry.bytes)
            add(entry)
        }
    }

    // MARK: Dequeue

    /// Hands out the task to try next.
    /// - Parameter hasRoom: whether an account has room for such a task; called once for each need.
    /// - Returns: nil if there is none. Give the task back by ``remove(_:)`` or ``putBack(_:)``.
    mutating func next(where hasRoom: (QueueNeed) -> Bool) -> QueuedTask? {
        let needs = needs.keys.filter(hasRoom)
        if needs.isEmpty { return nil }
        for (turn, tenant) in turns.enumerated() {
            let candidates = needs.compactMap { waiting[tenant]?[$0]?.oldest }
            guard let entry = candidates.min(by: QueueLane.precedes) else { continue }
            take(entry)
            if waiting[tenant] != nil {
                turns.remove(at: turn)
                turns.append(tenant)
            }
            return entry
        }
        return nil
    }

    /// Hands out a particular task; nil if it isn't waiting.
    mutating func take(_ task: TaskID) -> QueuedTask? {
        guard let entry = removeWaiting(task) else { return nil }
        handedOut[task] = entry
        return entry
    }

    /// Hands out the waiting tasks that are too old, for the caller to end. Give each back, as after ``next(where:)``.
    /// - Parameter now: milliseconds since 1970.
    mutating func expired(now: Int64) -> [QueuedTask] {
        var expired: [QueuedTask] = []
        for (tenant, lanes) in waiting {
            for need in lanes.keys {
                while let entry = waiting[tenant]?[need]?.oldest, now - entry.enqueuedAt >= room.bounds.maxAge {
                    take(entry)
                    expired.append(entry)
                }
            }
        }
        return expired.sorted(by: QueueLane.precedes)
    }

    /// Excludes accounts from now on for a task that was handed out.
    mutating func exclude(_ accounts: Set<String>, for task: TaskID) { handedOut[task]?.excluding = accounts }

    /// Puts a task that was handed out back into its old place, because no account had room.
    mutating func putBack(_ task: TaskID) {
        guard let entry = handedOut.removeValue(forKey: task) else { return }
        add(entry)
    }

    /// Removes a task that was sent, ended or cancelled, whether it was handed out or is waiting. Repeating it has no
    /// effect.
    @discardableResult
    mutating func remove(_ task: TaskID) -> QueuedTask? {
        guard let entry = handedOut.removeValue(forKey: task) ?? removeWaiting(task) else { return nil }
        room.free(tasks: 1, bytes: entry.bytes)
        return entry
    }

    // MARK: Lanes

    private mutating func add(_ entry: QueuedTask) {
        if waiting[entry.tenant] == nil { turns.append(entry.tenant) }
        waiting[entry.tenant, default: [:]][entry.need, default: QueueLane()].insert(entry)
        needs[entry.need, default: 0] += 1
    }

    /// Moves the oldest task of a lane to those handed out.
    private mutating func take(_ entry: QueuedTask) {
        _ = waiting[entry.tenant]?[entry.need]?.takeOldest()
        left(entry)
        handedOut[entry.task] = entry
    }

    private mutating func removeWaiting(_ task: TaskID) -> QueuedTask? {
        for (tenant, lanes) in waiting {
            for need in lanes.keys {
                guard let entry = waiting[tenant]?[need]?.remove(task) else { continue }
                left(entry)
                return entry
            }
        }
        return nil
    }

    /// Updates the counts after a task has left its lane, and removes what is empty.
    private mutating func left(_ entry: QueuedTask) {
        needs[entry.need, default: 1] -= 1
        if needs[entry.need] == 0 { needs[entry.need] = nil }
        guard waiting[entry.tenant]?[entry.need]?.isEmpty == true else { return }
        waiting[entry.tenant]?[entry.need] = nil
        guard waiting[entry.tenant]?.isEmpty == true else { return }
        waiting[entry.tenant] = nil
        turns.removeAll { $0 == entry.tenant }
    }
}
