internal import TaskStore

/// Creates that wait for an account with room: which may come in, and which is tried next.
///
/// Room is reserved before a body is written to the spool, so that many creates at once never exceed the bounds. Tenants
/// take turns; within a tenant the oldest task goes first, unless no account has room for what it needs. A task that was
/// handed out counts until it is removed.
struct FairQueue: Sendable {
    private var room: QueueRoom
    private var waiting: [String: [QueueNeed: QueueLane]] = [:]
    /// The tenants that have tasks waiting, next one first.
    private var turns: [String] = []
    private var needs: [QueueNeed: Int] = [:]
    private var handedOut: [TaskID: QueuedTask] = [:]

    init(_ bounds: QueueBounds) { room = QueueRoom(bounds) }

    /// How many tasks count: those that wait, those handed out, and the reservations.
    var count: Int { room.tasks }
    /// How many bytes count.
    var bytes: Int { room.bytes }
    /// How many tasks wait.
    var waitingCount: Int { needs.values.reduce(0, +) }
    /// When the queue was entered by the oldest that waits, in milliseconds since 1970.
    var oldest: Int64? {
        waiting.values.lazy.flatMap { $0.values }.compactMap { $0.oldest?.enqueuedAt }.min()
    }

    // MARK: In

    /// Reserves room for a task, or for a job of several: for all of them or for none.
    mutating func admit(tasks: Int = 1, bytes: Int) throws(QueueRefusal) -> QueueReservation {
        try room.reserve(tasks: tasks, bytes: bytes)
    }

    /// Tasks for which room was reserved are in the spool and in the store: they wait from now on.
    mutating func confirm(_ reservation: QueueReservation, _ entries: [QueuedTask]) {
        room.free(tasks: reservation.tasks, bytes: reservation.bytes)
        restore(entries)
    }

    /// Nothing came of the reservation.
    mutating func cancel(_ reservation: QueueReservation) {
        room.free(tasks: reservation.tasks, bytes: reservation.bytes)
    }

    /// Takes in what was queued before a restart, whatever the bounds are now.
    mutating func restore(_ entries: [QueuedTask]) {
        for entry in entries {
            room.take(tasks: 1, bytes: entry.bytes)
            add(entry)
        }
    }

    // MARK: Out

    /// Hands out the task to try next.
    /// - Parameter hasRoom: whether an account has room for such a task; asked once for each need.
    /// - Returns: nil if there is none. A task must be given back by ``remove(_:)`` or ``putBack(_:)``.
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

    /// Hands out a certain task; nil if it doesn't wait.
    mutating func take(_ task: TaskID) -> QueuedTask? {
        guard let entry = removeWaiting(task) else { return nil }
        handedOut[task] = entry
        return entry
    }

    /// Hands out the waiting tasks that are too old, to be ended. Each must be given back like one to try.
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

    /// From now on none of these accounts will do for a task that was handed out.
    mutating func exclude(_ accounts: Set<String>, for task: TaskID) { handedOut[task]?.excluding = accounts }

    /// A task that was handed out found no room after all: it waits again, in its old place.
    mutating func putBack(_ task: TaskID) {
        guard let entry = handedOut.removeValue(forKey: task) else { return }
        add(entry)
    }

    /// A task is out, whether it was handed out or waits: sent, ended or cancelled. To repeat it changes nothing.
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

    /// A task has left its lane: what is empty is given up.
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
