internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// Creates of which nobody knows whether Kling has them: they never leave their account, and are asked for by the
/// gateway's own id until Kling has said the last word.
extension TryOnTasks {
    /// A create is sent again only if there is as much time for it.
    private static let leastTimeout = Duration.seconds(2)

    /// Asks for an open create while somebody who was told nothing, or was told that it is queued, waits for it. What Kling
    /// doesn't know, after as long as it may be slow to know it, is sent again, under the same id to the same account: if
    /// that is known to make but one task of one id.
    /// - Parameters:
    ///   - limit: when whoever waits does so no longer, if that is before ``LookUpPlan/clientWait`` has passed.
    ///   - body: what to send again; nil if that cannot be had now.
    /// - Returns: ``Attempt/accepted(_:_:)``, or ``Attempt/open(timedOut:)`` if that is still so at the end.
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
            let found = await lookUp(id, at: destination)
            switch found {
            case .found(let answer, _, let upstreamID): return await adopt(answer, upstreamID, id, account)
            case .unknown where account.mayRepeat && !destination.isOutdated && plan.allowsRepeat(at: .now):
                let record = await sendAgain(id, at: destination, until: deadline, body)
                if let record { return record }
            case .unknown, .other, .none: break
            }
            _ = plan.answered(found.answer, now: .now)
        }
        return .open(timedOut: timedOut)
    }

    /// Sends an open create again. However that is refused, the first one may have arrived, and the refusal is no answer to
    /// that: only an acceptance settles anything.
    private func sendAgain(
        _ id: TaskID, at destination: Destination, until deadline: MonotonicTime,
        _ body: () async -> [ByteSlice]?
    ) async -> Attempt? {
        let left = deadline - .now
        guard left >= Self.leastTimeout, let body = await body() else { return nil }
        let again = await repeated(body, id, at: destination, timeout: min(left, destination.account.timeout))
        guard case .accepted(let record, _) = again else { return nil }
        checkUniqueness(record, at: destination.account)
        return again
    }

    /// Goes on asking for an open create that nobody waits for, and that is not sent again: until Kling has it, or has
    /// said at the end of the plan that it has not.
    func settleInBackground(_ id: TaskID, at account: Account) {
        background.start { [self] in
            if await lookUpToTheEnd(id, at: account, judge: { conclusive($0, account) }) {
                await neverMade(id, account)
            }
        }
    }

    /// Goes on asking for an open create an account whose keys have changed since: it may be the same one. That it doesn't
    /// know the create proves nothing.
    func findInBackground(_ id: TaskID, at account: Account) {
        background.start { [self] in
            await flagUnknown(id)
            _ = await lookUpToTheEnd(id, at: account) { _ in account.hasLookup == false ? nil : LookUpPlan.Answer.none }
        }
    }

    /// - Parameter judge: what an answer proves; nil if there is no use in asking any more.
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
            await flagIfOld(id)
            let found = await lookUp(id, at: Destination(account, await dialect(of: id, at: account)))
            if case .found(let answer, _, let upstreamID) = found,
                case .accepted = await adopt(answer, upstreamID, id, account)
            {
                return false
            }
            guard let answer = judge(found) else {
                await leaveToOperator(id)
                return false
            }
            // Creates that crashes have left, and that Kling never got, must not keep others from its slots.
            if answer == .unknown { accounts.settled(id, on: account.name, .missing) }
            _ = plan.answered(answer, now: .now)
        }
        return plan.step == .neverMade
    }

    /// What an answer proves. Where tasks cannot be looked up nothing is proof: that is the operator's business.
    /// - Returns: nil if there is no use in asking any more.
    private func conclusive(_ found: QueriedTask, _ account: Account) -> LookUpPlan.Answer? {
        switch (found, account.hasLookup) {
        // Found, but not recorded: the store is asked again.
        case (.found, _), (.other, _), (.none, _): LookUpPlan.Answer.none
        case (.unknown, true): .unknown
        case (.unknown, nil): LookUpPlan.Answer.none
        case (.unknown, false): nil
        }
    }

    /// Whether the task is still open: a query, a callback, the queue or the operator may have settled it.
    private func isOpen(_ id: TaskID) async -> Bool {
        // While the store is away, the task is taken for open.
        guard let record = try? await store.task(id) else { return true }
        return !record.state.isFinal && record.upstreamID == nil
    }

    // MARK: What only the operator knows

    /// How often an open create that is asked for no more is looked at in the store, which the operator may have changed.
    private static let settlementPause = Duration.seconds(10)

    /// Flags an open create for which nobody is asked, now or ever, and goes on with it when it is settled by other means.
    func leaveToOperator(_ id: TaskID) async {
        await flagUnknown(id)
        repeat {
            guard await background.sleep(until: .now + Self.settlementPause) else { return }
        } while await isOpen(id)
        await followSettled(id)
    }

    /// Somebody else has settled an open create.
    private func followSettled(_ id: TaskID) async {
        if let record = try? await store.task(id) { follow(record) }
    }

    /// What has been open for a day is the operator's business, too, however much may still be known by asking.
    func flagIfOld(_ id: TaskID) async {
        guard let record = try? await store.task(id), record.upstreamID == nil, record.flags.isEmpty else { return }
        let age = clock.age(since: record.createdAt)
        if age >= WatchSchedule.stuckAfter { _ = await flag(id, .unknown) }
    }

    /// Tells the operator that asking will never settle a create, however long the store is away.
    private func flagUnknown(_ id: TaskID) async { await flagAtLast(id, .unknown) }

    /// Flags a task for the operator, however long the store is away.
    func flagAtLast(_ id: TaskID, _ flags: TaskFlags) async {
        while await !flag(id, flags) {
            guard await background.sleep(until: .now + .seconds(5)) else { return }
        }
    }

    /// Flags a task for the operator.
    /// - Returns: false if the store is away.
    func flag(_ id: TaskID, _ flags: TaskFlags) async -> Bool {
        do {
            try await store.flag(id, flags)
            return true
        } catch {
            if error.code == .notFound { return true }
            couldNotRecord("a task that an operator should look at could not be flagged", id, error)
            return false
        }
    }

    // MARK: Never made

    private func neverMade(_ id: TaskID, _ account: Account) async {
        accounts.settled(id, on: account.name, .ended)
        await endAtLast(id, because: "never reached Kling; nothing was charged")
    }

    /// Ends a task that Kling never had, however long the store is away.
    func endAtLast(_ id: TaskID, because reason: String, answer: StoredAnswer? = nil) async {
        while !Task.isCancelled {
            do throws(StoreError) {
                return try await end(id, because: reason, answer: answer)
            } catch {
                couldNotRecord("a task that was not made could not be ended", id, error)
                guard await background.sleep(until: .now + .seconds(5)) else { return }
            }
        }
    }
}
