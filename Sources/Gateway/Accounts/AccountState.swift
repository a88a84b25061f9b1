internal import Base
internal import KlingAPI
internal import TaskStore

/// What the gateway knows about one account: whether it takes creates, and how many.
///
/// Time is passed in; nothing changes by itself. ``AccountPhase`` has the table of phases and events.
struct AccountState: Sendable {
    let account: Account
    let timing: AccountTiming
    private(set) var phase = AccountPhase.healthy
    /// Models that Kling does not let this account use.
    private(set) var denials: [String: Disablement] = [:]
    private(set) var limit: ConcurrencyLimit
    private(set) var start = SlowStart()
    private(set) var slots = AccountSlots()
    /// Whether the account was ever reached.
    private(set) var contact: AccountContact
    /// How long the account is paused if it becomes saturated.
    private var saturation: Duration
    /// How many creates in a row had an unknown outcome.
    private var ambiguities = 0

    init(_ account: Account, timing: AccountTiming) {
        self.account = account
        self.timing = timing
        limit = ConcurrencyLimit(configured: account.concurrency)
        saturation = timing.firstPause
        contact = AccountContact(timing)
    }

    // MARK: Time

    /// Applies the changes that depend on time alone.
    mutating func advance(to now: MonotonicTime) {
        if case .saturated(let until) = phase, until <= now { phase = .healthy }
        slots.expire(now: now)
        limit.raiseIfDue(after: timing.raiseInterval, now: now)
    }

    /// The next time at which the account may take more creates without an event.
    func nextChange(after now: MonotonicTime) -> MonotonicTime? {
        let pause: MonotonicTime? =
            switch phase {
            case .saturated(let until): until
            case .cooling(let cooling): cooling.probe == nil ? cooling.until : nil
            case .healthy, .disabled: nil
            }
        let expiry = isFull ? slots.firstExpiry : nil
        return [pause, expiry, limit.raise(after: timing.raiseInterval)].compactMap(\.self).filter { $0 > now }.min()
    }

    // MARK: Room

    /// After this many creates in a row with an unknown outcome, an account is treated as unavailable.
    static let mostAmbiguities = 3

    /// How many free slots an idle account without a limit counts as.
    private static let assumedRoom = 16.0

    /// How much weighted room there is for a create of `model`; `nil` if none. Records demand if a learned limit is the
    /// only obstacle.
    mutating func room(for model: String, now: MonotonicTime) -> Double? {
        guard isOpen(to: model, now: now) else { return nil }
        guard !isFull else {
            limit.noteDemand()
            return nil
        }
        let room = limit.current.map { Double($0 - slots.taken) } ?? Self.assumedRoom / Double(1 + slots.taken)
        return room * Double(account.weight)
    }

    /// How many more tasks of `model` fit into the limit; 0 unless the account is healthy.
    func freeSlots(for model: String) -> Int {
        guard case .healthy = phase, !contact.blocksCreates, account.serves(model), denials[model] == nil else {
            return 0
        }
        return limit.current.map { max(0, $0 - slots.taken) } ?? .max
    }

    private var isFull: Bool { limit.current.map { slots.taken >= $0 } ?? false }

    /// Records how many tasks other gateways run at the account; nil: that they have all slots that are not taken here.
    mutating func note(elsewhere count: Int?) {
        slots.elsewhere = count ?? limit.current.map { max(0, $0 - slots.count) } ?? 0
    }

    /// Whether a create of `model` may be sent, regardless of free slots.
    private func isOpen(to model: String, now: MonotonicTime) -> Bool {
        let takesCreates =
            switch phase {
            case .healthy: slots.underWay < start.window
            case .saturated: false
            case .cooling(let cooling): cooling.awaitsProbe(now: now)
            case .disabled(let disablement): disablement.isOpen
            }
        return takesCreates && !contact.blocksCreates && account.serves(model) && denials[model]?.isOpen ?? true
    }

    /// Takes a slot for a create. ``room(for:now:)`` must have found room for it.
    mutating func reserve(_ task: TaskID, model: String, now: MonotonicTime) {
        slots.take(task, model: model, until: now + timing.longestSlot)
        if var denial = denials[model] {
            denial.begin(task)
            denials[model] = denial
        }
        switch phase {
        case .cooling(let cooling): phase = .cooling(cooling.probed(by: task))
        case .disabled(var disablement):
            disablement.begin(task)
            phase = .disabled(disablement)
        case .healthy, .saturated: break
        }
    }

    // MARK: Events

    /// Records the outcome of a create.
    /// - Parameter random: at least 0 and less than 1.
    mutating func settle(_ task: TaskID, _ event: CreateEvent, now: MonotonicTime, random: Double) {
        advance(to: now)
        let model = slots.model(of: task)
        guard settleSlot(of: task, event) else { return }
        if event == .refusedForNow(.saturated) { limit.refused(beside: slots.taken, now: now) }
        if event == .accepted { contact.reached() }
        let context = AccountPhase.Context(now: now, timing: timing, random: random, saturation: saturation)
        if let model { settleDenial(of: model, task, event, context) }
        let before = phase
        phase = phase.next(judged(event), of: task, context)
        adjustSaturation(event, before)
    }

    /// What an event means for the phase: one lost answer says nothing about an account, but several in a row do.
    private mutating func judged(_ event: CreateEvent) -> CreateEvent {
        switch event {
        case .ambiguous: ambiguities += 1
        case .accepted, .refusedForGood, .refusedForNow: ambiguities = 0
        case .notSent, .missing, .ended, .withdrawn: break
        }
        return event == .ambiguous && ambiguities >= Self.mostAmbiguities ? .refusedForNow(.unavailable) : event
    }

    /// - Returns: whether the event matters to the account's phase.
    private mutating func settleSlot(of task: TaskID, _ event: CreateEvent) -> Bool {
        switch event {
        case .accepted: if slots.answered(task) { start.accepted() }
        case .ambiguous: _ = slots.answered(task)
        case .missing: return slots.missed(task)
        case .ended: return slots.free(task)
        case .notSent, .refusedForNow, .refusedForGood: slots.declined(task)
        case .withdrawn: slots.free(task)
        }
        return true
    }

    /// Makes the pause longer while an account keeps rejecting tasks because too many are running.
    private mutating func adjustSaturation(_ event: CreateEvent, _ before: AccountPhase) {
        if case .saturated = phase, phase != before {
            saturation = timing.longer(saturation)
        } else if event == .accepted, phase == .healthy {
            saturation = timing.firstPause
        }
    }

    private mutating func settleDenial(
        of model: String, _ task: TaskID, _ event: CreateEvent, _ context: AccountPhase.Context
    ) {
        if case .refusedForNow(.model(let code, let reason)) = event {
            denials[model] = Disablement(code: code, reason: reason, probeAt: context.nextProbe)
        } else if let denial = denials[model], denial.probe == task {
            denials[model] = denial.after(event, nextProbe: context.nextProbe)
        }
    }

    // MARK: Probes

    /// Makes the first check of the account due. Checks continue until it is reached.
    mutating func beginChecks(now: MonotonicTime) { contact.begin(now: now) }

    /// Returns whether a list call is due, and schedules the next one.
    mutating func takeProbe(now: MonotonicTime) -> Bool {
        let nextProbe = now + timing.probeInterval
        var isDue = contact.take(now: now)
        changeDisablements { disablement in
            guard disablement.isDue(now: now) else { return }
            disablement.list(nextProbe: nextProbe)
            isDue = true
        }
        return isDue
    }

    /// Records what a check has found.
    mutating func checked(_ finding: AccountFinding, now: MonotonicTime) {
        switch finding {
        case .reached: contact.reached()
        case .problem(let problem): contact.found(problem, now: now, timing)
        }
    }

    /// Records the outcome of the list call.
    mutating func probed(_ outcome: ProbeOutcome, now: MonotonicTime) {
        switch outcome {
        case .answered: changeDisablements { $0.listed() }
        case .refused(let code, let reason):
            guard code.class == .credentials || code.class == .tokenTime else { return }
            phase = .disabled(Disablement(code: code, reason: reason, probeAt: now + timing.probeInterval))
        case .failed: break
        }
    }

    private mutating func changeDisablements(_ change: (inout Disablement) -> Void) {
        if case .disabled(var disablement) = phase {
            change(&disablement)
            phase = .disabled(disablement)
        }
        for (model, var denial) in denials {
            change(&denial)
            denials[model] = denial
        }
    }

    // MARK: Restart

    /// Restores what was learned before a restart, unless it was learned from another account with the same name. What
    /// was disabled is probed at once, because the operator may have acted.
    mutating func restore(_ record: AccountStateRecord, now: MonotonicTime) {
        if let known = record.identity, known != account.identity.number { return }
        contact.restore(wasReached: record.wasReached)
        if let code = record.disabledBy.map(KlingCode.init(rawValue:)) {
            phase = .disabled(Disablement(code: code, reason: record.reason ?? code.meaning, probeAt: now))
        }
        for model in record.refusedModels {
            let code = KlingCode.permissionDenied
            denials[model] = Disablement(code: code, reason: code.meaning, probeAt: now)
        }
        record.learnedLimit.map { limit.restore($0, now: now) }
        account.capabilities.learn(
            AccountTraits(
                hasLookup: record.hasLookup, hasUniqueIDs: record.hasUniqueIDs,
                dialect: record.api.flatMap(KlingDialect.init)))
    }

    /// Takes over what another gateway has learned about the account.
    mutating func merge(_ record: AccountStateRecord, now: MonotonicTime) {
        if let known = record.identity, known != account.identity.number { return }
        if record.disabledBy == nil, case .disabled = phase { phase = .healthy }
        denials = denials.filter { record.refusedModels.contains($0.key) }
        limit.merge(record.learnedLimit, now: now)
        restore(record, now: now)
    }

    /// Takes a slot for a task that was created before a restart, `age` ago.
    mutating func restore(_ task: TaskID, age: Duration, now: MonotonicTime) {
        guard age < timing.longestSlot else { return }
        slots.restore(task, until: now + (timing.longestSlot - max(.zero, age)))
    }
}
