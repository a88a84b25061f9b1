internal import Base
public import TaskStore

/// The accounts, and the choice among them. No waiting, no threads, no clock.
struct AccountPool: Sendable {
    private var states: [AccountState]
    private let random: @Sendable () -> Double
    private var taken: [String: AccountStateRecord] = [:]
    /// What other gateways have written and this one has merged, by account.
    private var merged: [String: AccountStateRecord] = [:]

    init(_ accounts: [Account], timing: AccountTiming, random: @escaping @Sendable () -> Double) {
        states = accounts.map { AccountState($0, timing: timing) }
        self.random = random
    }

    /// Accounts are few, and each create looks at all of them anyway: comparing names is cheaper than hashing one.
    private func place(of name: String) -> Int? { states.firstIndex { $0.account.name == name } }

    // MARK: Choice

    /// Takes a slot of the account with the most free weighted capacity; `nil` if none has room.
    mutating func reserve(
        _ task: TaskID, model: String, excluding: Set<String>, now: MonotonicTime
    ) -> Account? {
        var best: (place: Int, room: Double)?
        for place in states.indices where !excluding.contains(states[place].account.name) {
            states[place].advance(to: now)
            guard let room = states[place].room(for: model, now: now), room > best?.room ?? 0 else { continue }
            best = (place, room)
        }
        guard let best else { return nil }
        states[best.place].reserve(task, model: model, now: now)
        return states[best.place].account
    }

    /// The next time at which capacity may change without an event.
    func nextChange(after now: MonotonicTime) -> MonotonicTime? {
        states.compactMap { $0.nextChange(after: now) }.min()
    }

    // MARK: Refusals

    /// The error for a client when no account takes its create. It names the obstacle that will clear soonest.
    mutating func refusalError(model: String, excluding: Set<String> = [], now: MonotonicTime) -> GatewayError {
        for place in states.indices { states[place].advance(to: now) }
        let asked = states.filter { !excluding.contains($0.account.name) }
        switch asked.compactMap({ $0.obstacle(to: model) }).min() {
        case nil:
            return GatewayError(
                .accountsDisabled, "No upstream account of this gateway serves \(model). Its operator must add one.")
        case .full:
            return GatewayError(
                .accountsFull, "All task slots at Kling are in use. Retry later.")
        case .rateLimited:
            var error = GatewayError(
                .accountsRateLimited, "Kling is rate limiting this gateway. Retry in a moment.")
            error.retryAfter = nextChange(after: now).map { max(1, Int(($0 - now).seconds.rounded(.up))) } ?? 1
            return error
        case .cooling:
            return GatewayError(.accountsCooling, "Kling is unavailable. No task was made; retry the request.")
        case .unreached:
            return GatewayError(
                .accountsDisabled,
                "None of this gateway's Kling accounts has been reached so far: their settings or the network are wrong. "
                    + "Its operator must act: the cause is in its log.")
        case .disabled:
            return GatewayError(
                .accountsDisabled,
                "None of this gateway's Kling accounts can be used. Its operator must act: the cause is in its log.")
        }
    }

    /// Whether a task of `model` may be queued: some account will take it without the operator's help.
    func canQueue(model: String, excluding: Set<String> = []) -> Bool {
        states.contains { state in
            !excluding.contains(state.account.name) && state.obstacle(to: model).map { $0 < .unreached } ?? false
        }
    }

    /// Whether a create would be sent now.
    mutating func hasRoom(model: String, excluding: Set<String>, now: MonotonicTime) -> Bool {
        for place in states.indices where !excluding.contains(states[place].account.name) {
            states[place].advance(to: now)
            if states[place].room(for: model, now: now) != nil { return true }
        }
        return false
    }

    /// Whether `count` more tasks fit into the limits of healthy accounts, however few creates may be in flight at
    /// once.
    mutating func fits(_ count: Int, model: String, excluding: Set<String>, now: MonotonicTime) -> Bool {
        var room = 0
        for place in states.indices where !excluding.contains(states[place].account.name) {
            states[place].advance(to: now)
            room += min(count, states[place].freeSlots(for: model))
        }
        return room >= count
    }

    /// How many tasks the account may run at once; nil: any number.
    func limit(of name: String) -> Int? { place(of: name).flatMap { states[$0].limit.current } }

    /// How many unfinished tasks of the account the store may have; nil: any number. Those that Kling does not have are
    /// unfinished too, and take up no slot.
    func storeLimit(of name: String) -> Int? {
        place(of: name).flatMap { place in states[place].limit.current.map { $0 + states[place].slots.missing } }
    }

    /// Records how many tasks other gateways run, by account.
    mutating func count(elsewhere: [String: Int]) {
        for place in states.indices { states[place].note(elsewhere: elsewhere[states[place].account.name] ?? 0) }
    }

    /// Records that other gateways have all the account's slots that are not taken here.
    mutating func noteFullElsewhere(_ name: String) {
        if let place = place(of: name) { states[place].note(elsewhere: nil) }
    }

    /// Takes over what other gateways have learned and saved, for accounts about which nothing new was learned here.
    mutating func merge(_ records: [AccountStateRecord], now: MonotonicTime) {
        for record in records {
            guard let place = place(of: record.name) else { continue }
            var known = record
            known.updatedAt = 0
            let saved =
                taken[record.name]
                ?? AccountStateRecord(
                    name: record.name, identity: states[place].account.identity.number, updatedAt: 0)
            known.isForeign = false
            // What this gateway has written is known, and what it has not yet written is newer.
            guard record.isForeign, known != merged[record.name], states[place].record(at: 0) == saved else { continue }
            merged[record.name] = known
            if known == saved { continue }
            states[place].merge(record, now: now)
            taken[record.name] = states[place].record(at: 0)
        }
    }

    // MARK: Events

    /// Records the outcome of a create.
    /// - Returns: the transition, if the account's ``AccountFigures/State`` changed.
    mutating func settle(
        _ task: TaskID, on account: String, _ event: CreateEvent, now: MonotonicTime
    ) -> AccountTransition? {
        // The usual events need no jitter, and a random number costs a system call.
        let jitter = event == .accepted || event == .ended || event == .missing ? 0 : random()
        return change(account) { $0.settle(task, event, now: now, random: jitter) }
    }

    /// Returns the disabled accounts whose free list call is due, and schedules the next one for each.
    mutating func takeProbes(now: MonotonicTime) -> [Account] {
        states.indices.filter { states[$0].takeProbe(now: now) }.map { states[$0].account }
    }

    /// Records the outcome of a list call.
    mutating func probed(_ account: String, _ outcome: ProbeOutcome, now: MonotonicTime) -> AccountTransition? {
        change(account) { $0.probed(outcome, now: now) }
    }

    /// Makes the first check of every account due now. Checks go on until the account is reached.
    mutating func beginChecks(now: MonotonicTime) {
        for place in states.indices { states[place].beginChecks(now: now) }
    }

    /// Whether the account has not been reached since the start, so that checks continue.
    func needsCheck(_ account: String) -> Bool { place(of: account).map { states[$0].contact.isOpen } ?? false }

    /// Records what a check has found.
    /// - Returns: whether it differs from what was known.
    mutating func checked(_ account: String, _ finding: AccountFinding, now: MonotonicTime) -> Bool {
        guard let place = place(of: account) else { return false }
        let old = states[place].contact.problem
        states[place].checked(finding, now: now)
        return old != states[place].contact.problem
    }

    /// The progress of the first checks.
    var reachability: AccountReachability {
        if states.contains(where: \.contact.canBeTried) { return .reached }
        return states.allSatisfy(\.contact.isChecked) ? .none : .unknown
    }

    private mutating func change(_ account: String, _ body: (inout AccountState) -> Void) -> AccountTransition? {
        guard let place = place(of: account) else { return nil }
        return states[place].change(body)
    }

    // MARK: Figures and saved state

    /// The figures of each account, in the configuration's order.
    mutating func figures(now: MonotonicTime) -> [AccountFigures] {
        states.indices.map { place in
            states[place].advance(to: now)
            return states[place].figures
        }
    }

    /// Returns the state of the accounts that changed since the last call, to be saved.
    mutating func takeChanged(at time: Int64) -> [AccountStateRecord] {
        states.compactMap { state in
            let (name, identity) = (state.account.name, state.account.identity.number)
            // Compared without the time, so that a record is saved only when something else has changed.
            let record = state.record(at: 0)
            if record == taken[name] ?? AccountStateRecord(name: name, identity: identity, updatedAt: 0) { return nil }
            taken[name] = record
            return state.record(at: time)
        }
    }

    /// Makes the next ``takeChanged(at:)`` return the state of these accounts again, because it could not be saved.
    mutating func putBack(_ records: [AccountStateRecord]) {
        // No record has this time, so any state counts as changed.
        for record in records { taken[record.name] = AccountStateRecord(name: record.name, updatedAt: -1) }
    }

    /// Restores what was known before a restart. Ignores accounts that are no longer configured.
    mutating func restore(
        _ records: [AccountStateRecord], running: [RunningTask], now: MonotonicTime
    ) {
        for record in records {
            guard let place = place(of: record.name) else { continue }
            states[place].restore(record, now: now)
            var record = record
            (record.updatedAt, record.isForeign) = (0, false)
            taken[record.name] = record
        }
        // In the order in which their slots expire.
        for task in running.sorted(by: { $0.age > $1.age }) {
            guard let place = place(of: task.account) else { continue }
            states[place].restore(task.id, age: task.age, now: now)
        }
    }
}

/// A change of an account's state.
struct AccountTransition: Sendable, Hashable {
    /// The state before.
    let from: AccountFigures.State
    /// The figures after the change.
    let to: AccountFigures
}

/// An unfinished task that the store has at startup.
public struct RunningTask: Sendable {
    /// The gateway's id.
    public let id: TaskID
    /// The name of the account that has it.
    public let account: String
    /// How long ago it was created.
    public let age: Duration

    /// Describes a task.
    public init(id: TaskID, account: String, age: Duration) {
        self.id = id
        self.account = account
        self.age = age
    }
}
