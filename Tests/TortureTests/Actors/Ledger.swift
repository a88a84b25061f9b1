import Base
import TestKit

/// Where the actors record what happens to them.
final class Ledger: Sendable {
    private struct State {
        var book = ClientBook()
        /// What can be queried.
        var questions: [Books.Question] = []
    }

    private let state = Lock(State())

    var book: ClientBook { state.withLock { $0.book } }

    func open(_ plan: CreatePlan) {
        let entry = CreateEntry(
            number: plan.number, tenant: plan.tenant, externalTaskID: plan.externalTaskID,
            hasKey: plan.idempotencyKey != nil, resends: plan.resends, wanted: plan.wanted,
            wantsCallback: plan.wantsCallback)
        state.withLock { $0.book.creates[plan.number] = entry }
    }

    /// Adds an attempt. What it told the client can be queried from now on.
    func add(_ attempt: Attempt, to number: Int) {
        state.withLock { state in
            guard var entry = state.book.creates[number] else { return }
            entry.attempts.append(attempt)
            state.book.creates[number] = entry
            guard let id = attempt.toldID else { return }
            for id in [id, entry.externalTaskID].compactMap(\.self) {
                state.questions.append(Books.Question(tenant: entry.tenant, id: id))
            }
        }
    }

    func add(_ sighting: Sighting) { state.withLock { $0.book.sightings.append(sighting) } }

    func addOutage(_ outage: ClosedRange<Moment>) { state.withLock { $0.book.outages.append(outage) } }

    func addLag(_ lag: ClosedRange<Moment>) { state.withLock { $0.book.lags.append(lag) } }

    func addClockStep() { state.withLock { $0.book.clockSteps += 1 } }

    func addKill(at moment: Moment) { state.withLock { $0.book.kills.append(moment) } }

    func addPowerCut(_ cut: ClosedRange<Moment>) { state.withLock { $0.book.powerCuts.append(cut) } }

    func add(_ callback: Callback) { state.withLock { $0.book.callbacks.append(callback) } }

    /// How many of a client's equal creates were accepted.
    func acceptances(of create: Int) -> Int { state.withLock { $0.book.creates[create]?.acceptances.count ?? 0 } }

    func tenant(of create: Int) -> String? { state.withLock { $0.book.creates[create]?.tenant } }

    /// How many messages have arrived for a create, and how often the message `id` has.
    func arrivals(create: Int, id: String) -> (messages: Int, ofThis: Int) {
        state.withLock { state in
            let own = state.book.callbacks.filter { $0.create == create }
            return (Set(own.map(\.id)).count, own.count { $0.id == id })
        }
    }

    /// Something to query; recent tasks come up more often than old ones.
    func question(_ dice: inout Dice) -> Books.Question? {
        let (questions, latest) = state.withLock { ($0.questions.count, $0.questions.suffix(40)) }
        guard questions > 0 else { return nil }
        if dice.chance(0.7) { return latest.randomElement(using: &dice) }
        let index = Int.random(in: 0..<questions, using: &dice)
        return state.withLock { $0.questions[index] }
    }
}
