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

    /// The longest task object of a finished task that is kept, in bytes. Longer ones are read from the store each time.
    static let longestKept = 16 << 10
    /// What an entry takes beside its record's texts, about, in bytes.
    private static let overhead = 1024

    private let state: Lock<State>

    /// - Parameter age: how long ago Kling said what the record says.
    init(_ record: TaskRecord, age: Duration = .zero, now: MonotonicTime) {
        state = Lock(State(record: record, answered: now + (.zero - age)))
    }

    /// The record as it is known.
    var record: TaskRecord { state.withLock { $0.record } }

    /// Whether it is worth its memory: a finished task with a long answer is not.
    var isKept: Bool {
        state.withLock { !$0.record.state.isFinal || ($0.record.answer?.count ?? 0) <= Self.longestKept }
    }

    /// What it takes of the memory, about, in bytes; with the task object that a finished task will have.
    var cost: Int {
        state.withLock { state in
            let record = state.record
            let answer = (record.answer?.count ?? 0) * (record.state.isFinal ? 2 : 1)
            let texts = [record.callbackURL, record.externalTaskID, record.statusWord, record.idempotencyKey]
            return Self.overhead + answer + texts.reduce(0) { $0 + ($1?.utf8.count ?? 0) }
        }
    }

    /// The task object of a finished task, made once unless it is long; nil while the task is unfinished.
    func finishedJSON() -> [UInt8]? {
        let (known, record) = state.withLock { ($0.finished, $0.record) }
        if let known { return known }
        guard record.state.isFinal else { return nil }
        let json = TaskView.json(record)
        if json.count <= Self.longestKept { state.withLock { $0.finished = json } }
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
