internal import Base
internal import KlingAPI
internal import TaskStore

/// What became of sending a task to an account, once the books are kept.
enum Attempt: Sendable {
    /// Kling has the task, and the store says so.
    case accepted(TaskRecord, KlingAnswer)
    /// No account will take it.
    case refused(httpStatus: Int, KlingAnswer)
    /// This account does not take it, for a reason that lies with the account; another one may.
    case declined
    /// This account does not take such a request; another one may.
    case unsuitable(BareAnswer)
    /// Nobody knows whether Kling has the task.
    case open(timedOut: Bool)
}

/// One account asked once to make a task.
extension TryOnTasks {
    /// Sends a task to the account that its record names.
    /// - Parameter timeout: how long Kling has, if less than the account allows.
    func attempt(
        _ body: [ByteSlice], _ id: TaskID, at account: Account, timeout: Duration? = nil, _ note: ExchangeNote? = nil
    ) async -> Attempt {
        let start = MonotonicTime.now
        defer { note?.waitedForKling(since: start) }
        let answer: UpstreamAnswer
        do {
            answer = try await caller.create(account, body, timeout: timeout)
        } catch {
            accounts.settled(id, on: account.name, error.wasSent ? .ambiguous : .notSent)
            return error.wasSent ? .open(timedOut: error.fault == .timeout) : .declined
        }
        switch answer {
        case .enveloped(let status, let answer): return await judge(answer, status, id, account)
        case .bare(let answer): return judge(answer, id, account)
        }
    }

    private func judge(_ answer: KlingAnswer, _ status: Int, _ id: TaskID, _ account: Account) async -> Attempt {
        if answer.isDuplicate { account.learn(AccountTraits(hasUniqueIDs: true)) }
        switch CreateOutcome(httpStatus: status, answer) {
        case .accepted(let upstreamID): return await adopt(answer, upstreamID, id, account)
        case .refusedForNow: return declined(AccountFault(answer), id, account)
        case .refusedForGood:
            accounts.settled(id, on: account.name, .refusedForGood)
            return .refused(httpStatus: status, answer)
        case .refusedHere, .ambiguous:
            accounts.settled(id, on: account.name, .ambiguous)
            return .open(timedOut: answer.code == .timeout || status == 504)
        }
    }

    private func judge(_ answer: BareAnswer, _ id: TaskID, _ account: Account) -> Attempt {
        switch CreateOutcome(answer) {
        case .refusedForNow: return declined(AccountFault(answer), id, account)
        case .refusedHere, .refusedForGood:
            accounts.settled(id, on: account.name, .refusedForGood)
            return .unsuitable(answer)
        case .accepted, .ambiguous:
            accounts.settled(id, on: account.name, .ambiguous)
            return .open(timedOut: answer.httpStatus == 504)
        }
    }

    private func declined(_ fault: AccountFault, _ id: TaskID, _ account: Account) -> Attempt {
        note(accounts.settled(id, on: account.name, .refusedForNow(fault)))
        if fault == .saturated { watcher.limited(account.name) }
        return .declined
    }

    /// Tells the operator what an account's refusal has made of it.
    func note(_ transition: AccountTransition?) {
        guard let account = transition?.to else { return }
        caller.observer.event(
            account.state == .disabled ? .error : .warning, "an account has changed its state",
            [
                ("account", account.name), ("state", account.state.rawValue),
                ("code", account.disabledBy.map { String($0.rawValue) } ?? "-"), ("reason", account.reason ?? "-"),
            ])
    }

    // MARK: Acceptances

    /// Kling has the task: the store learns it before anybody else does.
    func adopt(_ answer: KlingAnswer, _ upstreamID: String, _ id: TaskID, _ account: Account) async -> Attempt {
        accounts.settled(id, on: account.name, .accepted)
        guard let object = answer.task else { return .open(timedOut: false) }
        do {
            let record = try await accept(object, in: answer, upstreamID: upstreamID, id)
            learnLookup(account, record)
            return .accepted(record, answer)
        } catch {
            // Kling's id may be nowhere but in this line.
            caller.observer.event(
                .error, "an accepted task could not be recorded",
                [
                    ("task", id.description), ("account", account.name), ("upstream_id", upstreamID),
                    ("reason", error.detail),
                ])
            if error.code != .stale, error.code != .notFound {
                acceptInBackground(object, in: answer, upstreamID, id)
            }
            return .open(timedOut: false)
        }
    }

    /// Notes that Kling has a task as soon as the store is back. A stop waits for it as for a create, for as long as its
    /// grace lasts.
    private func acceptInBackground(_ object: TaskObject, in answer: KlingAnswer, _ upstreamID: String, _ id: TaskID) {
        openCreates.withLock { $0 += 1 }
        let isStarted = background.start { [self] in
            await acceptAtLast(object, in: answer, upstreamID, id)
            openCreates.withLock { $0 -= 1 }
        }
        if !isStarted { openCreates.withLock { $0 -= 1 } }
    }

    private func acceptAtLast(_ object: TaskObject, in answer: KlingAnswer, _ upstreamID: String, _ id: TaskID) async {
        while await background.sleep(until: .now + .seconds(1)) {
            do throws(StoreError) {
                _ = try await accept(object, in: answer, upstreamID: upstreamID, id)
                return
            } catch {
                if error.code == .stale || error.code == .notFound { return }
            }
        }
    }
}
