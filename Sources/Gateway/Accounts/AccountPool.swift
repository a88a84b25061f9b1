internal import Base
public import TaskStore

/// Several accounts, and the choice among them. No waiting, no threads, no clock.
struct AccountPool: Sendable {
    private var states: [AccountState]
    private let places: [String: Int]
    private let random: @Sendable () -> Double
    private var taken: [String: AccountStateRecord] = [:]

    init(_ accounts: [Account], timing: AccountTiming, random: @escaping @Sendable () -> Double) {
        states = accounts.map { AccountState($0, timing: timing) }
        places = Dictionary(accounts.enumerated().map { ($1.name, $0) }) { first, _ in first }
        self.random = random
    }

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

    /// When time alone changes what can be had.
    func nextChange(after now: MonotonicTime) -> MonotonicTime? {
        states.compactMap { $0.nextChange(after: now) }.min()
    }

    // MARK: Refusals

    /// What a client is told when nothing can be had: the obstacle that is overcome soonest.
    mutating func whyNot(model: String, excluding: Set<String> = [], now: MonotonicTime) -> GatewayError {
        for place in states.indices { states[place].advance(to: now) }
        let asked = states.filter { !excluding.contains($0.account.name) }
        switch asked.compactMap({ $0.obstacle(to: model) }).min() {
        case nil:
            return GatewayError(
                .accountsDisabled, "No upstream account of this gateway serves \(model). Its operator must add one.")
        case .full:
            return GatewayError(
                .accountsFull, "As many tasks run at Kling as may run at once. Send the request again later.")
        case .rateLimited:
            var error = GatewayError(
                .accountsRateLimited, "Kling gets too many requests. Send the request again in a moment.")
            error.retryAfter = nextChange(after: now).map { max(1, Int(($0 - now).seconds.rounded(.up))) } ?? 1
            return error
        case .cooling:
            return GatewayError(.accountsCooling, "Kling is unavailable. Nothing was made; send the request again.")
        case .disabled:
            return GatewayError(
                .accountsDisabled,
                "No account of the gateway at Kling can be used. Its operator must act: the cause is in its log.")
        }
    }

    /// Whether a task of `model` may be queued: an account will take it without its operator's doing.
    func canQueue(model: String, excluding: Set<String> = []) -> Bool {
        states.contains { state in
            !excluding.contains(state.account.name) && state.obstacle(to: model).map { $0 < .disabled } ?? false
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

    /// Whether so many more tasks fit into the limits of healthy accounts, however many may be sent at once.
    mutating func fits(_ count: Int, model: String, excluding: Set<String>, now: MonotonicTime) -> Bool {
        var room = 0
        for place in states.indices where !excluding.contains(states[place].account.name) {
            states[place].advance(to: now)
            room += min(count, states[place].freeSlots(for: model))
        }
        return room >= count
    }

    /// Whether only so many tasks run there at once, as configured or as learned.
    func hasLimit(_ name: String) -> Bool { places[name].map { states[$0].limit.current != nil } ?? false }

    // MARK: Events

    /// Notes what became of a create.
    /// - Returns: what that made of the account, if its state has another name now.
    mutating func settle(
        _ task: TaskID, on account: String, _ event: CreateEvent, now: MonotonicTime
    ) -> AccountTransition? {
        // The usual events need no jitter, and a number costs a system call.
        let jitter = event == .accepted || event == .ended || event == .missing ? 0 : random()
        return change(account) { $0.settle(task, event, now: now, random: jitter) }
    }

    /// The disabled accounts whose free list call is due, and is on its way then.
    mutating func takeProbes(now: MonotonicTime) -> [Account] {
        states.indices.filter { states[$0].takeProbe(now: now) }.map { states[$0].account }
    }

    /// Notes what came of a list call.
    mutating func probed(_ account: String, _ outcome: ProbeOutcome, now: MonotonicTime) -> AccountTransition? {
        change(account) { $0.probed(outcome, now: now) }
    }

    private mutating func change(_ account: String, _ body: (inout AccountState) -> Void) -> AccountTransition? {
        guard let place = places[account] else { return nil }
        let old = states[place].word
        body(&states[place])
        return states[place].word == old ? nil : AccountTransition(from: old, to: states[place].figures)
    }

    // MARK: What is known

    /// What is going on, account by account, in the configuration's order.
    mutating func figures(now: MonotonicTime) -> [AccountFigures] {
        states.indices.map { place in
            states[place].advance(to: now)
            return states[place].figures
        }
    }

    /// What has changed since it was taken last, and is to be kept.
    mutating func takeChanged(at time: Int64) -> [AccountStateRecord] {
        states.compactMap { state in
            let (name, identity) = (state.account.name, state.account.identity.number)
            // Times are not compared: a record is kept when something else has changed.
            let record = state.record(at: 0)
            if record == taken[name] ?? AccountStateRecord(name: name, identity: identity, updatedAt: 0) { return nil }
            taken[name] = record
            return state.record(at: time)
        }
    }

    /// Has records taken once more, which could not be kept.
    mutating func putBack(_ records: [AccountStateRecord]) {
        // A time that no record has: whatever is known then is another record.
        for record in records { taken[record.name] = AccountStateRecord(name: record.name, updatedAt: -1) }
    }

    /// Takes up what was known before a restart. Accounts that are configured no more are left out.
    mutating func restore(
        _ records: [AccountStateRecord], running: [RunningTask], now: MonotonicTime
    ) {
        for record in records {
            guard let place = places[record.name] else { continue }
            states[place].restore(record, now: now)
            var record = record
            record.updatedAt = 0
            taken[record.name] = record
        }
        for task in running {
            guard let place = places[task.account] else { continue }
            states[place].restore(task.id, age: task.age, now: now)
        }
    }
}

/// An account's state has another name now.
struct AccountTransition: Sendable, Hashable {
    /// What it was.
    let from: AccountFigures.State
    /// What it is.
    let to: AccountFigures
}

/// An unfinished task, as the store knows it at start.
public struct RunningTask: Sendable {
    /// The gateway's id.
    public let id: TaskID
    /// Who has it.
    public let account: String
    /// How long ago it was made.
    public let age: Duration

    /// Describes a task.
    public init(id: TaskID, account: String, age: Duration) {
        self.id = id
        self.account = account
        self.age = age
    }
}
