internal import Base
internal import TaskStore

/// Limits of running tasks that other gateways' tasks count against as well.
extension TaskLedger {
    /// What the store has to check for a create of `principal`; nil if this gateway alone makes tasks, and counts them.
    /// - Parameter account: the account that gets the task; nil if none is chosen yet.
    func sharedLimits(_ principal: Principal?, at account: String?) -> SharedLimits? {
        if store.replicas == nil { return nil }
        let limits = SharedLimits(
            account: account.flatMap(accounts.limit(of:)), key: principal?.limits.concurrency,
            tenant: principal?.policy.limits.concurrency,
            since: clock.now - TaskSlots.longest.nanoseconds / 1_000_000)
        return limits.account == nil && limits.key == nil && limits.tenant == nil ? nil : limits
    }

    /// The record of the intent to make a task now.
    func newTask(_ create: Create, at place: Place?) -> NewTask {
        var task = create.newTask(at: place, createdAt: clock.now, quota.prices)
        task.sharedLimits = sharedLimits(create.principal, at: task.assignment?.account)
        return task
    }

    /// Gives a task that is not accepted to another account, or to none for now.
    /// - Throws: `accountFull` if other gateways have taken the account's last slots. It is then not tried again at once.
    func assign(_ id: TaskID, to destination: Destination?) async throws(StoreError) {
        do {
            try await store.assign(
                id, to: destination?.assignment, at: clock.now,
                limits: sharedLimits(nil, at: destination?.account.name))
        } catch {
            if error.code == .accountFull, let destination { accounts.noteFullElsewhere(destination.account.name) }
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
        return .runningTasks(RunningTasks.Refusal(owner: owner, limit: limit ?? 0))
    }
}

extension GatewayError {
    /// Why a create is refused by a limit of running tasks.
    static func runningTasks(_ refusal: RunningTasks.Refusal) -> GatewayError {
        GatewayError(
            .runningTasks,
            "\(refusal.owner.name) has \(refusal.limit) tasks running, which is its limit. Wait until one has ended.")
    }
}
