internal import Base
internal import KlingAPI
internal import TaskStore

/// What came of asking Kling for a task.
struct Refreshed: Sendable {
    /// The record, as new as it could be had.
    let record: TaskRecord
    /// Kling's answer, if this is it.
    var relay: KlingAnswer?
    /// How old the record is, if Kling did not answer.
    var staleness: Duration?
}

/// A task that somebody has asked for, in memory: its record, and when Kling was asked last.
///
/// However many clients query a task, on whatever loop: Kling is asked at most once in a `freshness`, and those that
/// come meanwhile wait for the same answer.
final class TaskEntry: Sendable {
    /// What a query has to do.
    enum Action {
        /// Answer from the record.
        case answer(Refreshed)
        /// Wait for the call that somebody else makes.
        case join(Task<Refreshed, Never>)
        /// Wait for the call that this query has begun.
        case began(Task<Refreshed, Never>)
    }

    private struct State {
        var record: TaskRecord
        var finished: [UInt8]?
        var asked: MonotonicTime?
        var answered: MonotonicTime
        var call: Task<Refreshed, Never>?
    }

    private let state: Lock<State>

    /// - Parameter age: how long ago Kling said what the record says.
    init(_ record: TaskRecord, age: Duration = .zero, now: MonotonicTime) {
        state = Lock(State(record: record, answered: now + (.zero - age)))
    }

    /// The record as it is known.
    var record: TaskRecord { state.withLock { $0.record } }

    /// The task object of a finished task, made once; nil while the task is unfinished.
    func finishedJSON() -> [UInt8]? {
        let (known, record) = state.withLock { ($0.finished, $0.record) }
        if let known { return known }
        guard record.state.isFinal else { return nil }
        let json = TaskView.json(record)
        state.withLock { $0.finished = json }
        return json
    }

    /// Decides what a query does.
    /// - Parameter begin: starts the call; it must do no more than that, because the entry is locked meanwhile.
    func query(
        now: MonotonicTime, freshness: Duration, begin: () -> Task<Refreshed, Never>
    ) -> Action {
        state.withLock { state in
            if state.record.state.isFinal { return .answer(Refreshed(record: state.record)) }
            if let call = state.call { return .join(call) }
            if let asked = state.asked, now - asked < freshness {
                let age = now - state.answered
                return .answer(Refreshed(record: state.record, staleness: age >= freshness ? age : nil))
            }
            state.asked = now
            let call = begin()
            state.call = call
            return .began(call)
        }
    }

    /// The call is over.
    /// - Parameter record: the record after Kling's answer; nil if there was none.
    /// - Returns: the record to answer with, and how old it is if Kling did not answer.
    func finish(_ record: TaskRecord?, now: MonotonicTime) -> (record: TaskRecord, staleness: Duration?) {
        state.withLock { state in
            state.call = nil
            guard let record else { return (state.record, now - state.answered) }
            state.answered = now
            if record.state >= state.record.state { state.record = record }
            return (state.record, nil)
        }
    }

    /// Kling was asked for the task by other means, such as a list.
    func update(_ record: TaskRecord, now: MonotonicTime) {
        state.withLock { state in
            (state.asked, state.answered) = (now, now)
            if record.state >= state.record.state { state.record = record }
        }
    }

    /// Whether Kling should be asked again.
    func isDue(now: MonotonicTime, freshness: Duration) -> Bool {
        state.withLock { state in
            !state.record.state.isFinal && state.call == nil && state.asked.map { now - $0 >= freshness } ?? true
        }
    }
}

/// The tasks asked for lately, by owner and id. Bounded: of two generations the older is dropped when the younger is full.
final class TaskCache: Sendable {
    struct Key: Hashable {
        let tenant: String
        let id: String
    }

    private struct Generations {
        var young: [Key: TaskEntry] = [:]
        var old: [Key: TaskEntry] = [:]
    }

    private let generations = Lock(Generations())
    private let capacity: Int

    /// - Parameter capacity: entries a generation; at most twice as many are kept.
    init(capacity: Int) { self.capacity = capacity }

    /// The entry of `key`, if it was asked for lately.
    func entry(_ key: Key) -> TaskEntry? {
        generations.withLock { generations in
            if let entry = generations.young[key] { return entry }
            guard let entry = generations.old.removeValue(forKey: key) else { return nil }
            keep(entry, key, &generations)
            return entry
        }
    }

    /// The entry of `key`: `entry`, unless somebody was quicker.
    func insert(_ entry: TaskEntry, _ key: Key) -> TaskEntry {
        generations.withLock { generations in
            if let known = generations.young[key] ?? generations.old[key] { return known }
            keep(entry, key, &generations)
            return entry
        }
    }

    private func keep(_ entry: TaskEntry, _ key: Key, _ generations: inout Generations) {
        if generations.young.count >= capacity {
            generations.old = generations.young
            generations.young = [:]
        }
        generations.young[key] = entry
    }
}
