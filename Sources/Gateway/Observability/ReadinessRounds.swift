/// Rounds of health checks, and the probes that wait for them: events in, actions out.
///
/// A round runs every check once, and ends when all have finished or its time has passed. Probes that arrive meanwhile
/// wait for the same round, so that a storm of probes costs no more than one. A check that hangs beyond its round is
/// not started again until it has ended; until then, each round reports it as timed out.
struct ReadinessRounds<Waiter> {
    enum Action {
        /// Run this check and report `finished`.
        case run(check: Int)
        /// Report `expired` with this round's number when the patience has run out.
        case armTimer(round: Int)
        /// Give these outcomes to these waiters.
        case answer([Waiter], [HealthOutcome])
        /// Tell the operator.
        case changed(check: Int, HealthOutcome, (any Error)?)
    }

    enum Answer {
        case waiting
        case outcome(HealthOutcome)
    }

    private var answers: [Answer]
    private var isRunning: [Bool]
    private var last: [HealthOutcome]
    private var waiters: [Waiter] = []
    private var round = 0

    init(checks: Int) {
        answers = Array(repeating: .waiting, count: checks)
        isRunning = Array(repeating: false, count: checks)
        last = Array(repeating: .ok, count: checks)
    }

    /// A probe has arrived.
    mutating func join(_ waiter: Waiter) -> [Action] {
        waiters.append(waiter)
        if waiters.count > 1 { return [] }
        if answers.isEmpty { return end() }
        answers = answers.map { _ in .waiting }
        let idle = isRunning.indices.filter { !isRunning[$0] }
        isRunning = isRunning.map { _ in true }
        return [.armTimer(round: round)] + idle.map { .run(check: $0) }
    }

    /// A check has ended, perhaps after its round.
    mutating func finished(_ check: Int, _ error: (any Error)?) -> [Action] {
        isRunning[check] = false
        if waiters.isEmpty { return [] }
        let outcome: HealthOutcome = error == nil ? .ok : .failed
        answers[check] = .outcome(outcome)
        let changes = note(check, outcome, error)
        return answers.contains { if case .waiting = $0 { true } else { false } } ? changes : changes + end()
    }

    /// The patience of a round has run out.
    mutating func expired(round: Int) -> [Action] {
        if round != self.round || waiters.isEmpty { return [] }
        var changes: [Action] = []
        for check in answers.indices {
            if case .waiting = answers[check] { changes += note(check, .timedOut, nil) }
        }
        return changes + end()
    }

    private mutating func end() -> [Action] {
        let outcomes = answers.map { answer in
            switch answer {
            case .waiting: HealthOutcome.timedOut
            case .outcome(let outcome): outcome
            }
        }
        defer {
            waiters = []
            round += 1
        }
        return [.answer(waiters, outcomes)]
    }

    private mutating func note(_ check: Int, _ outcome: HealthOutcome, _ error: (any Error)?) -> [Action] {
        defer { last[check] = outcome }
        return last[check] == outcome ? [] : [.changed(check: check, outcome, error)]
    }
}

extension ReadinessRounds: Sendable where Waiter: Sendable {}
extension ReadinessRounds.Action: Sendable where Waiter: Sendable {}
extension ReadinessRounds.Answer: Sendable where Waiter: Sendable {}
