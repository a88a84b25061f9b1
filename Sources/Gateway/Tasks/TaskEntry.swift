internal import Base
internal import KlingAPI
internal import TaskStore

/// The result of a query for a task.
struct Refreshed: Sendable {
    /// The most recent record that is available.
    let record: TaskRecord
    /// Kling's answer to this query, if there is one.
    var relay: KlingAnswer?
    /// How old the record is, if Kling did not answer.
    var staleness: Duration?
}

/// A queried task in memory: its record, and when Kling was last asked for it.
///
/// However many clients query a task, on whichever loop, Kling is asked at most once per `freshness`. Queries that
/// arrive in the meantime wait for the same answer.
final class TaskEntry: Sendable {
    /// What a query has to do.
    enum Action {
        /// Answer from the record.
        case answer(Refreshed)
        /// Wait for the call that another query has begun.
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

    /// The longest task object of a finished task that is kept, in bytes. Longer ones are read from the store each
    /// time.
    static let longestKept = 16 << 10
    /// The approximate size of an entry without its record's texts, in bytes.
    private static let overhead = 1024

    private let state: Lock<State>

    /// - Parameter age: how long ago Kling reported the record's state.
    init(_ record: TaskRecord, age: Duration = .zero, now: MonotonicTime) {
        state = Lock(State(record: record, answered: now + (.zero - age)))
    }

    /// The last known record.
    var record: TaskRecord { state.withLock { $0.record } }

    /// Whether it is worth keeping in memory: a finished task with a long answer is not.
    var isKept: Bool {
        state.withLock { !$0.record.state.isFinal || ($0.record.answer?.count ?? 0) <= Self.longestKept }
    }

    /// Its approximate size in bytes, including the task object that a finished task will have.
    var cost: Int {
        state.withLock { state in
            let record = state.record
            let answer = (record.answer?.count ?? 0) * (record.state.isFinal ? 2 : 1)
            let texts = [record.callbackURL, record.externalTaskID, record.statusWord, record.idempotencyKey]
            return Self.overhead + answer + texts.reduce(0) { $0 + ($1?.utf8.count ?? 0) }
        }
    }

    /// The task object of a finished task, rendered once unless it is long; nil while the task is unfinished.
    func finishedJSON() -> [UInt8]? {
        let (known, record) = state.withLock { ($0.finished, $0.record) }
        if let known { return known }
        guard record.state.isFinal else { return nil }
        let json = TaskView.json(record)
        if json.count <= Self.longestKept { state.withLock { $0.finished = json } }
        return json
    }

    /// Decides what a query does.
    /// - Parameter begin: starts the call; it must do no more than that, because the entry is locked in the meantime.
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

    /// Ends the call.
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

    /// Updates the record after Kling was asked for the task by other means, such as a list.
    func update(_ record: TaskRecord, now: MonotonicTime) {
        state.withLock { state in
            (state.asked, state.answered) = (now, now)
            if record.state >= state.record.state { state.record = record }
        }
    }

    /// Updates the record from the store, where something else may have changed it.
    func learn(_ record: TaskRecord) {
        state.withLock { if record.state >= $0.record.state { $0.record = record } }
    }

    /// Whether Kling should be asked again.
    func isDue(now: MonotonicTime, freshness: Duration) -> Bool {
        state.withLock { state in
            !state.record.state.isFinal && state.call == nil && state.asked.map { now - $0 >= freshness } ?? true
        }
    }
}
