internal import Base
internal import KlingAPI
internal import TaskStore

/// Asks an account about one of its tasks, by the id that the gateway sent as `external_task_id`, and learns about the
/// account from the answers.
final class AccountProbes: Sendable {
    private let ledger: TaskLedger
    private let caller: KlingCaller

    /// How long a list call, or a look-up of an open create, waits for Kling.
    static let timeout = Duration.seconds(2)
    /// How long it may take until Kling finds a task that it has just accepted.
    private static let lookupLag = Duration.seconds(5)

    init(_ ledger: TaskLedger, _ caller: KlingCaller) { (self.ledger, self.caller) = (ledger, caller) }

    /// Asks an account whether it has a task whose upstream id is unknown.
    func lookUp(_ id: TaskID, at destination: Destination) async -> QueryResult {
        let found = await caller.query(destination, id, upstreamID: nil, timeout: Self.timeout)
        // If the account no longer has this route, "unknown" proves nothing.
        if case .unknown = found, destination.isOutdated { return .none }
        return found
    }

    /// Finds out, once, whether an account finds tasks by the gateway's own ids, by asking for a task that Kling has.
    /// An answer with the right task but without that id counts as no: the next such answer could be about another
    /// client's task.
    func learnLookup(_ account: Account, _ record: TaskRecord) {
        guard account.capabilities.takeLookupProbe(now: ledger.background.now) else { return }
        ledger.background.start { [self] in
            for pause in [Duration.zero, Self.lookupLag] {
                guard await ledger.background.sleep(for: pause), account.capabilities.mustLearnLookup else { return }
                switch await caller.queryUnchecked(
                    Destination(account, record.dialect), record.id, upstreamID: nil, timeout: Self.timeout)
                {
                case .found: return account.capabilities.learn(AccountTraits(hasLookup: true))
                case .other(let object) where object.externalTaskID == nil && object.taskID == record.upstreamID:
                    return account.capabilities.learn(AccountTraits(hasLookup: false))
                case .other, .none: return
                case .unknown: continue
                }
            }
            if account.capabilities.mustLearnLookup { account.capabilities.learn(AccountTraits(hasLookup: false)) }
        }
    }

    /// Checks whether an account made two tasks from a create that it was sent twice. If so, both were charged, and
    /// from then on no create is sent to it twice.
    func checkUniqueness(_ record: TaskRecord, at account: Account) {
        ledger.background.start { [self] in
            guard await ledger.background.sleep(for: Self.lookupLag),
                case .found(_, _, let other) = await caller.queryUnchecked(
                    Destination(account, record.dialect), record.id, upstreamID: nil, timeout: Self.timeout),
                other != record.upstreamID
            else { return }
            account.capabilities.learn(AccountTraits(hasUniqueIDs: false))
            ledger.observer.event(
                .error, "an account has made two tasks for one external_task_id: set `unique: no` for it",
                [
                    ("account", account.name), ("task", record.id.description), ("upstream_id", other),
                    ("other_upstream_id", record.upstreamID ?? "-"),
                ])
        }
    }

    /// Handles accepted tasks that an account does not find. The account may no longer speak this API. Then the
    /// gateway would see no task end and free no slot, so it would send no create that could discover the account's
    /// other API. List calls, which are free, discover it. Tasks of an API that the account no longer speaks take up
    /// no slots.
    func miss(_ missing: [TaskID], at destination: Destination) async {
        let account = destination.account
        if let other = destination.alternative, !destination.isOutdated,
            account.capabilities.takeAPIProbe(now: ledger.background.now),
            let listed = try? await caller.list(destination, timeout: Self.timeout), listed.answer.hasNoRoute,
            let found = try? await caller.list(other, timeout: Self.timeout), found.page != nil
        {
            other.confirm()
        }
        guard destination.isOutdated else { return }
        for id in missing { ledger.accounts.settled(id, on: account.name, .missing) }
    }
}

extension QueryResult {
    /// The answer in the terms of ``LookUpPlan``.
    var answer: LookUpPlan.Answer {
        switch self {
        case .found: .found
        case .unknown: .unknown
        case .other, .none: .none
        }
    }
}
