internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// Settles open creates: it is unknown whether Kling has them. They never leave their account, which is asked for them
/// by the gateway's own id until the answer is certain.
final class OpenCreates: Sendable {
    private let ledger: TaskLedger
    private let attempts: CreateAttempts
    private let probes: AccountProbes
    private let bodies: UpstreamBodies
    private var background: Background { ledger.background }

    /// A create is sent again only if at least this much time is left for it.
    private static let leastTimeout = Duration.seconds(2)
    /// How often the store is checked for an operator's decision on a create that is no longer looked up.
    private static let settlementPause = Duration.seconds(10)
    /// How often the store is asked whether another gateway has settled a create of its own.
    private static let ownerPause = Duration.milliseconds(100)

    init(_ ledger: TaskLedger, _ attempts: CreateAttempts, _ probes: AccountProbes, _ bodies: UpstreamBodies) {
        (self.ledger, self.attempts, self.probes, self.bodies) = (ledger, attempts, probes, bodies)
    }

    // MARK: While a client waits

    /// Looks up an open create while a client waits for it. If Kling still does not know it after
    /// ``LookUpPlan/longestLag``, it is sent again under the same id to the same account, provided that the account
    /// makes only one task per id.
    /// - Parameters:
    ///   - limit: when the client stops waiting, if that is before ``LookUpPlan/clientWait`` has passed.
    ///   - body: what to send again; nil if it is not available now.
    /// - Returns: ``Attempt/accepted(_:_:)``, or ``Attempt/open(timedOut:)`` if it is still open at the end.
    func settle(
        _ id: TaskID, at destination: Destination, timedOut: Bool, until limit: MonotonicTime? = nil,
        body: () async -> [ByteSlice]?
    ) async -> Attempt {
        let account = destination.account
        if account.capabilities.hasLookup == false { return .open(timedOut: timedOut) }
        let start = background.now
        let latest = start + LookUpPlan.clientWait
        let deadline = min(limit ?? latest, latest)
        var plan = LookUpPlan.request(start: start, until: deadline)
        while case .lookUp(let time) = plan.step {
            guard await background.sleep(until: time) else { break }
            let found = await probes.lookUp(id, at: destination)
            switch found {
            case .found(let answer, _, let upstreamID): return await attempts.adopt(answer, upstreamID, id, account)
            case .unknown
            where account.capabilities.mayRepeat && !destination.isOutdated && plan.allowsRepeat(at: background.now):
                if let record = await sendAgain(id, at: destination, until: deadline, body) { return record }
            case .unknown, .other, .none: break
            }
            _ = plan.answered(found.answer, now: background.now)
        }
        return .open(timedOut: timedOut)
    }

    /// Sends an open create again. Only an acceptance settles anything: a refusal says nothing about the first create,
    /// which may have arrived.
    private func sendAgain(
        _ id: TaskID, at destination: Destination, until deadline: MonotonicTime,
        _ body: () async -> [ByteSlice]?
    ) async -> Attempt? {
        let left = deadline - background.now
        guard left >= Self.leastTimeout, let body = await body() else { return nil }
        let again = await attempts.repeated(
            body, id, at: destination, timeout: min(left, destination.account.timeout))
        guard case .accepted(let record, _) = again else { return nil }
        probes.checkUniqueness(record, at: destination.account)
        return again
    }

    /// Settles an earlier open create for a client that has sent the same create again and waits. The earlier create
    /// is looked up, and sent again under the same conditions as in ``settle(_:at:timedOut:until:body:)``.
    /// - Parameters:
    ///   - limit: when that client stops waiting; nil: after ``LookUpPlan/clientWait``.
    ///   - request: what to send again.
    func settleForResend(
        _ id: TaskID, until limit: MonotonicTime? = nil,
        _ request: () async throws(GatewayError) -> TryOnRequest
    ) async {
        let latest = background.now + LookUpPlan.clientWait
        let deadline = min(limit ?? latest, latest)
        guard let record = await openCreate(id, until: deadline), case .same(let account) = ledger.match(of: record)
        else { return }
        let destination = Destination(account, record.dialect)
        _ = await settle(id, at: destination, timedOut: false, until: deadline) {
            guard let request = try? await request() else { return nil }
            return try? await bodies.body(of: request, id, record.tenant, for: destination)
        }
    }

    /// The record of an open create that this gateway has to settle. If another one has to, waits until it has, or has
    /// died. One that was taken over before it was sent is ended soon.
    /// - Returns: nil if it is settled, or if that took too long.
    private func openCreate(_ id: TaskID, until deadline: MonotonicTime) async -> TaskRecord? {
        while true {
            let record = try? await ledger.store.task(id)
            if let record, record.state != .intent || record.upstreamID != nil { return nil }
            let isOwn = record.map { !$0.isForeign && $0.account != nil } ?? false
            if isOwn || ledger.store.replicas == nil { return record }
            guard background.now < deadline, await background.sleep(for: Self.ownerPause) else { return nil }
        }
    }

    // MARK: In the background

    /// Settles a task that will not be sent. It ends if it was never assigned to an account; otherwise it is looked up
    /// there, or left to the operator if that account is gone.
    func resolve(_ record: TaskRecord, orEndBecause reason: String) async {
        if record.account == nil { return await ledger.endWithRetry(record.id, because: reason) }
        switch ledger.match(of: record) {
        case .same(let account): settleInBackground(record.id, at: account)
        case .rekeyed(let account): findInBackground(record.id, at: account)
        case .none: background.start { [self] in await leaveToOperator(record.id) }
        }
    }

    /// Keeps looking up an open create that no client waits for, until Kling has it, or has denied it up to the end of
    /// the plan. It is not sent again.
    func settleInBackground(_ id: TaskID, at account: Account) {
        background.start { [self] in
            guard await lookUpToTheEnd(id, at: account, judge: { conclusive($0, account) }) else { return }
            ledger.accounts.settled(id, on: account.name, .ended)
            await ledger.endWithRetry(id, because: "never reached Kling; nothing was charged")
        }
    }

    /// Keeps looking up an open create at an account whose keys or API have changed, because it may still have the
    /// create. If it does not know the create, that proves nothing.
    func findInBackground(_ id: TaskID, at account: Account) {
        background.start { [self] in
            await ledger.flagWithRetry(id, .unknown)
            _ = await lookUpToTheEnd(id, at: account) { _ in
                account.capabilities.hasLookup == false ? nil : LookUpPlan.Answer.none
            }
        }
    }

    /// - Parameter judge: what an answer proves; nil if asking again is useless.
    /// - Returns: true if the answers prove that the create was never made.
    private func lookUpToTheEnd(
        _ id: TaskID, at account: Account, judge: (QueryResult) -> LookUpPlan.Answer?
    ) async -> Bool {
        var plan = LookUpPlan.background(start: background.now)
        while case .lookUp(let time) = plan.step {
            guard await background.sleep(until: time) else { return false }
            guard await isOpen(id) else {
                await syncSettled(id)
                return false
            }
            await ledger.flagIfOld(id)
            let found = await probes.lookUp(id, at: Destination(account, await ledger.dialect(of: id, at: account)))
            if case .found(let answer, _, let upstreamID) = found,
                case .accepted = await attempts.adopt(answer, upstreamID, id, account)
            {
                return false
            }
            guard let answer = judge(found) else {
                await leaveToOperator(id)
                return false
            }
            // A create that a crash left behind and that never reached Kling must not take up a slot.
            if answer == .unknown { ledger.accounts.settled(id, on: account.name, .missing) }
            _ = plan.answered(answer, now: background.now)
        }
        return plan.step == .neverMade
    }

    /// What an answer proves. An account without look-up can prove nothing, so the create is left to the operator.
    /// - Returns: nil if asking again is useless.
    private func conclusive(_ found: QueryResult, _ account: Account) -> LookUpPlan.Answer? {
        switch (found, account.capabilities.hasLookup) {
        // It was found but could not be recorded: it is looked up again.
        case (.found, _), (.other, _), (.none, _): LookUpPlan.Answer.none
        case (.unknown, true): .unknown
        case (.unknown, nil): LookUpPlan.Answer.none
        case (.unknown, false): nil
        }
    }

    /// Whether the task is still open. A query, a callback, the queue or the operator may have settled it.
    private func isOpen(_ id: TaskID) async -> Bool {
        // While the store is unavailable, the task counts as open.
        guard let record = try? await ledger.store.task(id) else { return true }
        return !record.state.isFinal && record.upstreamID == nil
    }

    /// Flags an open create that no account can be asked about, and follows it once it is settled by other means.
    func leaveToOperator(_ id: TaskID) async {
        ledger.openAtStart.remove(id)
        await ledger.flagWithRetry(id, .unknown)
        repeat {
            guard await background.sleep(for: Self.settlementPause) else { return }
        } while await isOpen(id)
        await syncSettled(id)
    }

    /// Follows an open create that something else has settled.
    private func syncSettled(_ id: TaskID) async {
        if let record = try? await ledger.store.task(id) { ledger.follow(record) }
    }
}
