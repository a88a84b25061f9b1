internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// Creates of which nobody knows whether Kling has them: they never leave their account, and are asked for by the
/// gateway's own id until Kling has said the last word.
extension TryOnTasks {
    /// Kling finds an `external_task_id` a second time: the first create may have arrived after all.
    private static let repeated = KlingCode.invalidParameter
    /// A create is sent again only if there is as much time for it.
    private static let leastTimeout = Duration.seconds(2)

    /// Asks for an open create while somebody who was told nothing, or was told that it is queued, waits for it. What
    /// Kling doesn't know is sent again, under the same id to the same account: of two of one id it makes but one.
    /// - Parameter body: what to send again; nil if that cannot be had now.
    /// - Returns: ``Attempt/open(timedOut:)`` if that is still so at the end.
    func settle(
        _ id: TaskID, at account: Account, timedOut: Bool, body: () async -> [ByteSlice]?
    ) async -> Attempt {
        if account.hasLookup == false { return .open(timedOut: timedOut) }
        let deadline = MonotonicTime.now + LookUpPlan.clientWait
        var plan = LookUpPlan.request(start: .now)
        while case .lookUp(let time) = plan.step {
            guard await background.sleep(until: time) else { break }
            let found = await lookUp(id, at: account)
            switch found {
            case .found(let answer, let upstreamID): return await adopt(answer, upstreamID, id, account)
            case .unknown where account.hasLookup == true:
                let left = deadline - .now
                guard left >= Self.leastTimeout, let body = await body() else { break }
                let again = await attempt(body, id, at: account, timeout: min(left, account.timeout))
                if let outcome = await outcome(ofRepeating: again, id, account) { return outcome }
            case .unknown, .none: break
            }
            _ = plan.answered(found.answer, now: .now)
        }
        return .open(timedOut: timedOut)
    }

    /// What sending a task again has come to; nil: it is as open as before.
    private func outcome(ofRepeating attempt: Attempt, _ id: TaskID, _ account: Account) async -> Attempt? {
        switch attempt {
        case .accepted: return attempt
        case .refused(_, let answer):
            guard answer.code == Self.repeated else { return attempt }
            switch await lookUp(id, at: account) {
            case .found(let answer, let upstreamID): return await adopt(answer, upstreamID, id, account)
            case .unknown: return attempt
            case .none: return nil
            }
        case .declined, .open: return nil
        }
    }

    /// Goes on asking for an open create that nobody waits for, and that is not sent again: until Kling has it, or has
    /// said at the end of the plan that it has not.
    func settleInBackground(_ id: TaskID, at account: Account) {
        background.start { [self] in
            var plan = LookUpPlan.background(start: .now)
            while case .lookUp(let time) = plan.step {
                guard await background.sleep(until: time), await isOpen(id) else { return }
                await flagIfOld(id)
                let found = await lookUp(id, at: account)
                if case .found(let answer, let upstreamID) = found {
                    if case .accepted = await adopt(answer, upstreamID, id, account) { return }
                }
                guard let answer = await conclusive(found, id, account) else { return }
                // Creates that crashes have left, and that Kling never got, must not keep others from its slots.
                if answer == .unknown { accounts.settled(id, on: account.name, .missing) }
                _ = plan.answered(answer, now: .now)
            }
            if plan.step == .neverMade { await neverMade(id, account) }
        }
    }

    /// What an answer proves. Where tasks cannot be looked up nothing is proof: that is the operator's business.
    /// - Returns: nil if there is no use in asking any more.
    private func conclusive(_ found: LookUp, _ id: TaskID, _ account: Account) async -> LookUpPlan.Answer? {
        switch (found, account.hasLookup) {
        // Found, but not recorded: the store is asked again.
        case (.found, _), (.none, _): return LookUpPlan.Answer.none
        case (.unknown, true): return .unknown
        case (.unknown, nil): return LookUpPlan.Answer.none
        case (.unknown, false):
            await flagUnknown(id)
            return nil
        }
    }

    /// Whether the task is still open: a query, a callback or the queue may have settled it.
    private func isOpen(_ id: TaskID) async -> Bool {
        // While the store is away, the task is taken for open.
        guard let record = try? await store.task(id) else { return true }
        return !record.state.isFinal && record.upstreamID == nil
    }

    /// What has been open for a day is the operator's business, too, however much may still be known by asking.
    func flagIfOld(_ id: TaskID) async {
        guard let record = try? await store.task(id), record.upstreamID == nil, record.flags.isEmpty else { return }
        let age = Duration.milliseconds(max(0, WallClock.milliseconds - record.createdAt))
        if age >= WatchSchedule.stuckAfter { await flagUnknown(id) }
    }

    /// Nobody will ever know by asking.
    func flagUnknown(_ id: TaskID) async { _ = await flag(id, .unknown) }

    /// Tells the operator of a task.
    /// - Returns: whether that is recorded.
    func flag(_ id: TaskID, _ flags: TaskFlags) async -> Bool {
        do {
            try await store.flag(id, flags)
            return true
        } catch {
            couldNotRecord("a task that an operator should look at could not be flagged", id, error)
            return false
        }
    }

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
