internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// Creates of which it is unknown whether Kling has them. They never leave their account, and the account is asked for
/// them by the gateway's own id until the answer is certain.
final class OpenCreates: Sendable {
    private let ledger: TaskLedger
    private let attempts: CreateAttempts
    private let probes: AccountProbes
    private let bodies: UpstreamBodies
    private var background: Background { ledger.background }

    /// A create is sent again only if at least this much time is left for it.
    private static let leastTimeout = Duration.seconds(2)
    /// How often the store is checked for an operator's decision on a create that is no longer asked for.
    private static let settlementPause = Duration.seconds(10)

    init(_ ledger: TaskLedger, _ attempts: CreateAttempts, _ probes: AccountProbes, _ bodies: UpstreamBodies) {
        (self.ledger, self.attempts, self.probes, self.bodies) = (ledger, attempts, probes, bodies)
    }

    // MARK: While a client waits

    /// Asks for an open create while a client waits for it. If Kling does not know it, after the time that Kling may take to
    /// know it, it is sent again under the same id to the same account, provided that the account is known to make only
    /// one task of one id.
    /// - Parameters:
    ///   - limit: when the client stops waiting, if that is before ``LookUpPlan/clientWait`` has passed.
    ///   - body: what to send again; nil if it is not available now.
    /// - Returns: ``Attempt/accepted(_:_:)``, or ``Attempt/open(timedOut:)`` if it is still open at the end.
    func settle(
        _ id: TaskID, at destination: Destination, timedOut: Bool, until limit: MonotonicTime? = nil,
        body: () async -> [ByteSlice]?
    ) async -> Attempt {
        let account = destination.account
        if account.hasLookup == false { return .open(timedOut: timedOut) }
        let start = MonotonicTime.now
        let latest = start + LookUpPlan.clientWait
        let deadline = min(limit ?? latest, latest)
        var plan = LookUpPlan.request(start: start, until: deadline)
        while case .lookUp(let time) = plan.step {
            guard await background.sleep(until: time) else { break }
            let found = await probes.lookUp(id, at: destination)
            switch found {
            case .found(let answer, _, let upstreamID): return await attempts.adopt(answer, upstreamID, id, account)
            case .unknown where account.mayRepeat && !destination.isOutdated && plan.allowsRepeat(at: .now):
                if let record = await sendAgain(id, at: destination, until: deadline, body) { return record }
            case .unknown, .other, .none: break
            }
            _ = plan.answered(found.answer, now: .now)
        }
        return .open(timedOut: timedOut)
    }

    /// Sends an open create again. Only an acceptance settles anything: a refusal says nothing about the first create, which
    /// may have arrived.
    private func sendAgain(
        _ id: TaskID, at destination: Destination, until deadline: MonotonicTime,
        _ body: () async -> [ByteSlice]?
    ) async -> Attempt? {
        let left = deadline - .now
        guard left >= Self.leastTimeout, let body = await body() else { return nil }
        let again = await attempts.repeated(
            body, id, at: destination, timeout: min(left, destination.account.timeout))
        guard case .accepted(let record, _) = again else { return nil }
        probes.checkUniqueness(record, at: destination.account)
        return again
    }

    /// Settles an earlier create whose outcome is open while a client waits that has sent the same create again: it is
    /// looked up, and sent again where its own client's create would be.
    /// - Parameters:
    ///   - limit: when that client stops waiting; nil: as long as clients wait for an open create.
    ///   - request: what to send again.
    func pursue(
        _ id: TaskID, until limit: MonotonicTime? = nil, on loop: EventLoop,
        _ request: () async throws(GatewayError) -> TryOnRequest
    ) async {
        guard let record = try? await ledger.store.task(id), record.state == .intent, record.upstreamID == nil,
            case .same(let account) = ledger.match(of: record)
        else { return }
        let destination = Destination(account, record.dialect)
        _ = await settle(id, at: destination, timedOut: false, until: limit) {
            guard let request = try? await request() else { return nil }
            return try? await bodies.body(of: request, id, record.tenant, for: destination, on: loop)
        }
    }

    // MARK: In the background

    /// Takes up a task that will not be sent: one that was never given to an account ends, any other is asked for.
    func resolve(_ record: TaskRecord, orEndBecause reason: String) async {
        if record.account == nil { return await ledger.endAtLast(record.id, because: reason) }
        switch ledger.match(of: record) {
        case .same(let account): settleInBackground(record.id, at: account)
        case .rekeyed(let account): findInBackground(record.id, at: account)
        case .none: background.start { [self] in await leaveToOperator(record.id) }
        }
    }

    /// Keeps asking for an open create that no client waits for, and that is not sent again, until Kling has it, or has said
    /// at the end of the plan that it does not.
    func settleInBackground(_ id: TaskID, at account: Account) {
        background.start { [self] in
            guard await lookUpToTheEnd(id, at: account, judge: { conclusive($0, account) }) else { return }
            ledger.accounts.settled(id, on: account.name, .ended)
            await ledger.endAtLast(id, because: "never reached Kling; nothing was charged")
        }
    }

    /// Keeps asking an account whose keys have changed for an open create: it may still be the same account. That it does
    /// not know the create proves nothing.
    func findInBackground(_ id: TaskID, at account: Account) {
        background.start { [self] in
            await ledger.flagAtLast(id, .unknown)
            _ = await lookUpToTheEnd(id, at: account) { _ in account.hasLookup == false ? nil : LookUpPlan.Answer.none }
        }
    }

    /// - Parameter judge: what an answer proves; nil if asking again is useless.
    /// - Returns: whether the create was never made.
    private func lookUpToTheEnd(
        _ id: TaskID, at account: Account, judge: (QueriedTask) -> LookUpPlan.Answer?
    ) async -> Bool {
        var plan = LookUpPlan.background(start: .now)
        while case .lookUp(let time) = plan.step {
            guard await background.sleep(until: time) else { return false }
            guard await isOpen(id) else {
                await followSettled(id)
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
            // Creates that a crash left behind and that never reached Kling must not keep others from its slots.
            if answer == .unknown { ledger.accounts.settled(id, on: account.name, .missing) }
            _ = plan.answered(answer, now: .now)
        }
        return plan.step == .neverMade
    }

    /// What an answer proves. An account without look-up proves nothing: that is left to the operator.
    /// - Returns: nil if asking again is useless.
    private func conclusive(_ found: QueriedTask, _ account: Account) -> LookUpPlan.Answer? {
        switch (found, account.hasLookup) {
        // Found, but not recorded: it is asked for again.
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
        await ledger.flagAtLast(id, .unknown)
        repeat {
            guard await background.sleep(until: .now + Self.settlementPause) else { return }
        } while await isOpen(id)
        await followSettled(id)
    }

    /// Follows an open create that something else has settled.
    private func followSettled(_ id: TaskID) async {
        if let record = try? await ledger.store.task(id) { ledger.follow(record) }
    }
}
