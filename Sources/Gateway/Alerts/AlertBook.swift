internal import Base

/// What operators are told about conditions, and when: conditions in, events out.
///
/// A condition is raised once it has held for ``AlertKind/raisesAfter``, raised again every six hours while it lasts,
/// and cleared once it has been gone for ``AlertKind/clearsAfter``. What comes and goes faster than that is told once.
struct AlertBook: Sendable {
    /// How often operators are reminded.
    static let reminder = Duration.seconds(6 * 3600)
    /// How many conditions are followed; more are ignored.
    static let capacity = 2000

    private enum Phase: Sendable {
        /// It holds, but not for long enough.
        case pending
        /// Operators were told.
        case raised(toldAt: MonotonicTime, goneSince: MonotonicTime?)
    }

    private struct Entry: Sendable {
        var condition: AlertCondition
        let since: MonotonicTime
        var phase = Phase.pending
    }

    private var entries: [String: Entry] = [:]

    /// How many alerts of each kind are raised.
    var raised: [AlertKind: Int] {
        entries.values.reduce(into: [:]) { counts, entry in
            if case .raised = entry.phase { counts[entry.condition.kind, default: 0] += 1 }
        }
    }

    /// Takes note of everything that is wrong at `now`.
    /// - Returns: what operators are to be told, in this order.
    mutating func update(_ conditions: [AlertCondition], at now: MonotonicTime) -> [AlertEvent] {
        var events: [AlertEvent] = []
        for condition in conditions {
            if let event = note(condition, at: now) { events.append(event) }
        }
        let present = Set(conditions.map(\.id))
        for id in entries.keys.sorted() where !present.contains(id) {
            if let event = miss(id, at: now) { events.append(event) }
        }
        return events
    }

    private mutating func note(_ condition: AlertCondition, at now: MonotonicTime) -> AlertEvent? {
        let known = entries[condition.id]
        if known == nil, !condition.isFirm || entries.count >= Self.capacity { return nil }
        var entry = known ?? Entry(condition: condition, since: now)
        entry.condition = condition
        let lasted = now - entry.since
        var step: AlertEvent.Step?
        switch entry.phase {
        case .pending where !condition.isFirm:
            entries[condition.id] = nil
            return nil
        case .pending:
            if lasted >= condition.kind.raisesAfter {
                step = .raised
                entry.phase = .raised(toldAt: now, goneSince: nil)
            }
        case .raised(let toldAt, _):
            let isDue = now - toldAt >= Self.reminder
            step = isDue ? .reminded : nil
            entry.phase = .raised(toldAt: isDue ? now : toldAt, goneSince: nil)
        }
        entries[condition.id] = entry
        return step.map { AlertEvent(step: $0, condition: condition, lasted: lasted) }
    }

    /// Takes note that a condition is gone.
    private mutating func miss(_ id: String, at now: MonotonicTime) -> AlertEvent? {
        guard let entry = entries[id], case .raised(let toldAt, let goneSince) = entry.phase else {
            entries[id] = nil
            return nil
        }
        let gone = goneSince ?? now
        guard now - gone >= entry.condition.kind.clearsAfter else {
            entries[id]?.phase = .raised(toldAt: toldAt, goneSince: gone)
            return nil
        }
        entries[id] = nil
        return AlertEvent(step: .cleared, condition: entry.condition, lasted: now - entry.since)
    }
}

/// What operators are told about a condition.
struct AlertEvent: Sendable, Equatable {
    enum Step: Sendable, Equatable {
        case raised
        /// It was raised before, and still holds.
        case reminded
        case cleared
    }

    let step: Step
    /// As it was seen last.
    let condition: AlertCondition
    /// The time since it was first seen.
    let lasted: Duration
}
