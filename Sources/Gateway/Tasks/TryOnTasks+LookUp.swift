internal import Base
internal import KlingAPI
internal import TaskStore

/// One account asked whether it has a task, by the id that the gateway sent as `external_task_id`; and what such questions
/// show of the account.
extension TryOnTasks {
    /// Asks an account whether it has a task of which it has told no id.
    func lookUp(_ id: TaskID, at destination: Destination) async -> QueriedTask {
        let found = await caller.query(destination, id, upstreamID: nil, timeout: Self.listTime)
        // If the account no longer has this route, "unknown" proves nothing.
        if case .unknown = found, destination.isOutdated { return .none }
        return found
    }

    /// Notes that an account does not show tasks that it has accepted. Its API may be gone: then the end of no task would
    /// ever be seen, no slot freed, and no create sent that would find the account's other API. Lists, which are free, find
    /// it; and tasks of an API that the account speaks no more take up no slots.
    func miss(_ missing: [TaskID], at destination: Destination) async {
        let account = destination.account
        if let other = destination.alternative, !destination.isOutdated, account.takeAPIProbe(now: .now),
            let listed = try? await caller.list(destination, timeout: Self.listTime), listed.answer.hasNoRoute,
            let found = try? await caller.list(other, timeout: Self.listTime), found.page != nil
        {
            other.confirm()
        }
        guard destination.isOutdated else { return }
        for id in missing { accounts.settled(id, on: account.name, .missing) }
    }

    /// Which of Kling's APIs a task was sent by. While the store is away: as the account is spoken to by now.
    func dialect(of id: TaskID, at account: Account) async -> KlingDialect {
        (try? await store.task(id))?.dialect ?? account.dialect
    }

    /// The account that a task was sent to, as it is configured today.
    func match(of record: TaskRecord) -> AccountMatch { AccountMatch(record, record.account.flatMap(accounts.named)) }

    /// The account that may be asked for a task; `nil` if it was sent to none, or if that is configured no more.
    func account(of record: TaskRecord) -> Account? { match(of: record).account }

    /// How long Kling may take to know a task that it has just accepted.
    private static let lookupLag = Duration.seconds(5)

    /// Finds out, once, whether an account's tasks can be found by the gateway's own ids: by one of them that Kling has. An
    /// answer that does not name the id is no find: next time it may be about somebody else's task.
    func learnLookup(_ account: Account, _ record: TaskRecord) {
        guard account.takeLookupProbe(now: .now) else { return }
        background.start { [self] in
            for pause in [Duration.zero, Self.lookupLag] {
                guard await background.sleep(until: .now + pause), account.mustLearnLookup else { return }
                switch await caller.ask(
                    Destination(account, record.dialect), record.id, upstreamID: nil, timeout: Self.listTime)
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

    /// Looks at what an account made of a create that was sent to it twice: if there are two tasks now, it was paid for both,
    /// and nothing is sent to it twice any more.
    func checkUniqueness(_ record: TaskRecord, at account: Account) {
        background.start { [self] in
            guard await background.sleep(until: .now + Self.lookupLag),
                case .found(_, _, let other) = await caller.ask(
                    Destination(account, record.dialect), record.id, upstreamID: nil, timeout: Self.listTime),
                other != record.upstreamID
            else { return }
            account.learn(AccountTraits(hasUniqueIDs: false))
            caller.observer.event(
                .error, "an account has made two tasks of one external_task_id: set `unique: no` for it",
                [
                    ("account", account.name), ("task", record.id.description), ("upstream_id", other),
                    ("other_upstream_id", record.upstreamID ?? "-"),
                ])
        }
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
