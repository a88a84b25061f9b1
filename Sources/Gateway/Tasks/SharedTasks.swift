internal import Base
internal import TaskStore

extension TaskLedger {
    /// The making and assigning of tasks, within limits that other gateways' tasks count against as well.
    var shared: SharedTasks { SharedTasks(ledger: self) }
}

/// Limits of running tasks that other gateways' tasks count against as well.
struct SharedTasks {
    fileprivate let ledger: TaskLedger

    /// What the store has to check for a create of `principal`; nil if this gateway alone makes tasks, and counts them.
    /// - Parameter account: the account that gets the task; nil if none is chosen yet.
    private func limits(_ principal: @autoclosure () -> Principal?, at account: String?) -> SharedLimits? {
        if ledger.store.replicas == nil { return nil }
        let principal = principal()
        let limits = SharedLimits(
            account: account.flatMap(ledger.accounts.storeLimit(of:)), key: principal?.limits.concurrency,
            tenant: principal?.policy.limits.concurrency,
            since: ledger.clock.now - TaskSlots.longest.nanoseconds / 1_000_000)
        return limits.account == nil && limits.key == nil && limits.tenant == nil ? nil : limits
    }

    /// The record of the intent to make a task now.
    func newTask(_ create: Create, at place: Place?) -> NewTask {
        let account: String? = if case .account(let destination) = place { destination.account.name } else { nil }
        let checks = SharedChecks(
            limits: limits(create.principal, at: account), rivals: create.note.resend?.rivals)
        return create.newTask(at: place, createdAt: ledger.clock.now, ledger.quota.prices, checks)
    }

    /// Records intents by `record`, again if another gateway has recorded a create with the same content that is not the
    /// same.
    /// - Parameter record: makes the records by ``newTask(_:at:)``, which have to be new each time.
    /// - Throws: `sentElsewhere` if it is the same: see ``ResendTicket/earlier``.
    func begin<Made>(
        _ note: ExchangeNote, _ record: () async throws(StoreError) -> Made
    ) async throws(StoreError) -> Made {
        while true {
            do { return try await record() } catch {
                guard error.code == .sentElsewhere, await note.resend?.isNewElsewhere() == true else { throw error }
            }
        }
    }

    /// Gives a task that is not accepted to another account, or to none for now.
    /// - Throws: `accountFull` if other gateways have taken the account's last slots. It is then not tried again at once.
    func assign(_ id: TaskID, to destination: Destination?) async throws(StoreError) {
        do {
            try await ledger.store.assign(
                id, to: destination?.assignment, at: ledger.clock.now,
                limits: limits(nil, at: destination?.account.name))
        } catch {
            if error.code == .accountFull, let destination {
                ledger.accounts.noteFullElsewhere(destination.account.name)
            }
            throw error
        }
    }
}

extension StoreError {
    /// What a client is told whose create would pass a limit of running tasks; nil if that is not the reason.
    func limitRefusal(of principal: Principal) -> GatewayError? {
        let (owner, limit): (LimitOwner, Int?)
        switch code {
        case .keyFull: (owner, limit) = (.key(principal.keyID), principal.limits.concurrency)
        case .tenantFull: (owner, limit) = (.tenant(principal.tenant), principal.policy.limits.concurrency)
        default: return nil
        }
        return RunningTasks.Refusal(owner: owner, limit: limit ?? 0).error
    }
}

extension RunningTasks.Refusal {
    /// What the client is told.
    var error: GatewayError {
        GatewayError(
            .runningTasks, "\(owner.name) has \(limit) tasks running, which is its limit. Wait until one has ended.")
    }
}
