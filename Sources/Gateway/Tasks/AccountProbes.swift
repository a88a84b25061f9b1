internal import Base
internal import KlingAPI
internal import TaskStore

/// Questions to one account about one of its tasks, by the id that the gateway sent as `external_task_id`; and what the
/// answers show about the account.
final class AccountProbes: Sendable {
    private let ledger: TaskLedger
    private let caller: KlingCaller

    /// How long a list, or a look-up of an open create, waits for Kling.
    static let timeout = Duration.seconds(2)
    /// How long Kling may take to know a task that it has just accepted.
    private static let lookupLag = Duration.seconds(5)

    init(_ ledger: TaskLedger, _ caller: KlingCaller) { (self.ledger, self.caller) = (ledger, caller) }

    /// Asks an account whether it has a task whose upstream id is unknown.
    func lookUp(_ id: TaskID, at destination: Destination) async -> QueriedTask {
        let found = await caller.query(destination, id, upstreamID: nil, timeout: Self.timeout)
        // If the account no longer has this route, "unknown" proves nothing.
        if case .unknown = found, destination.isOutdated { return .none }
        return found
    }

    /// Finds out, once, whether an account's tasks can be found by the gateway's own ids, by asking for one that Kling
    /// has. An answer that does not name the id does not count: the next one could be about another client's task.
    func learnLookup(_ account: Account, _ record: TaskRecord) {
        guard account.takeLookupProbe(now: .now) else { return }
        ledger.background.start { [self] in
            for pause in [Duration.zero, Self.lookupLag] {
                guard await ledger.background.sleep(until: .now + pause), account.mustLearnLookup else { return }
                switch await caller.ask(
                    Destination(account, record.dialect), record.id, upstreamID: nil, timeout: Self.timeout)
                {
                case .found: return account.learn(AccountTraits(hasLookup: true))
                case .other(let object) where object.externalTaskID == nil && object.taskID == record.upstreamID:
                    return account.learn(AccountTraits(hasLookup: false))
                case .other, .none: return
                case .unknown: continue
                }
            }
            if account.mustLearnLookup { account.learn(AccountTraits(hasLookup: false)) }
        }
    }

    /// Checks what an account made of a create that it was sent twice. If it has made two tasks, both were charged, and no
    /// create is sent to it twice again.
    func checkUniqueness(_ record: TaskRecord, at account: Account) {
        ledger.background.start { [self] in
            guard await ledger.background.sleep(until: .now + Self.lookupLag),
                case .found(_, _, let other) = await caller.ask(
                    Destination(account, record.dialect), record.id, upstreamID: nil, timeout: Self.timeout),
                other != record.upstreamID
            else { return }
            account.learn(AccountTraits(hasUniqueIDs: false))
            ledger.observer.event(
                .error, "an account has made two tasks of one external_task_id: set `unique: no` for it",
                [
                    ("account", account.name), ("task", record.id.description), ("upstream_id", other),
                    ("other_upstream_id", record.upstreamID ?? "-"),
                ])
        }
    }

    /// Handles accepted tasks that an account does not show. Its API may be gone: then no task would be seen to end, no slot
    /// would be freed, and no create would be sent that could find the account's other API. List calls are free and find
    /// it. Tasks of an API that the account no longer speaks take up no slots.
    func miss(_ missing: [TaskID], at destination: Destination) async {
        let account = destination.account
        if let other = destination.alternative, !destination.isOutdated, account.takeAPIProbe(now: .now),
            let listed = try? await caller.list(destination, timeout: Self.timeout), listed.answer.hasNoRoute,
            let found = try? await caller.list(other, timeout: Self.timeout), found.page != nil
        {
            other.confirm()
        }
        guard destination.isOutdated else { return }
        for id in missing { ledger.accounts.settled(id, on: account.name, .missing) }
    }
}

extension QueriedTask {
    /// The same for the plan of look-ups.
    var answer: LookUpPlan.Answer {
        switch self {
        case .found: .found
        case .unknown: .unknown
        case .other, .none: .none
        }
    }
}
