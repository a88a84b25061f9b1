internal import Base
internal import KlingAPI
internal import TaskStore

/// What became of sending a task to an account, once the books are kept.
enum Attempt: Sendable {
    /// Kling has the task, and the store says so.
    case accepted(TaskRecord, KlingAnswer)
    /// No account will take it.
    case refused(httpStatus: Int, KlingAnswer)
    /// This account does not take it; another one may.
    case declined
    /// Nobody knows whether Kling has the task.
    case open(timedOut: Bool)
}

/// One account asked once: to make a task, or whether it has it.
extension TryOnTasks {
    /// Sends a task to the account that its record names.
    /// - Parameter timeout: how long Kling has, if less than the account allows.
    func attempt(
        _ body: [ByteSlice], _ id: TaskID, at account: Account, timeout: Duration? = nil, _ note: ExchangeNote? = nil
    ) async -> Attempt {
        let start = MonotonicTime.now
        defer { note?.waitedForKling(since: start) }
        let answered: KlingCaller.Answered
        do {
            answered = try await caller.create(account, body, timeout: timeout)
        } catch {
            accounts.settled(id, on: account.name, error.wasSent ? .ambiguous : .notSent)
            return error.wasSent ? .open(timedOut: error.fault == .timeout) : .declined
        }
        return await judge(answered, id, account)
    }

    private func judge(_ answered: KlingCaller.Answered, _ id: TaskID, _ account: Account) async -> Attempt {
        switch (CreateOutcome(httpStatus: answered.status, answer: answered.answer), answered.answer) {
        case (.accepted(let upstreamID), let answer?):
            return await adopt(answer, upstreamID, id, account)
        case (.refusedForNow, let answer):
            let fault = AccountFault(httpStatus: answered.status, answer: answer)
            note(accounts.settled(id, on: account.name, .refusedForNow(fault)))
            if fault == .saturated { watcher.limited(account.name) }
            return .declined
        case (.refusedForGood, let answer?):
            accounts.settled(id, on: account.name, .refusedForGood)
            return .refused(httpStatus: answered.status, answer)
        case (_, let answer):
            accounts.settled(id, on: account.name, .ambiguous)
            return .open(timedOut: answer?.code == .timeout || answered.status == 504)
        }
    }

    /// Kling has the task: the store learns it before anybody else does.
    func adopt(_ answer: KlingAnswer, _ upstreamID: String, _ id: TaskID, _ account: Account) async -> Attempt {
        accounts.settled(id, on: account.name, .accepted)
        guard let object = answer.task else { return .open(timedOut: false) }
        do {
            let record = try await accept(object, in: answer, upstreamID: upstreamID, id)
            learnLookup(account, record)
            return .accepted(record, answer)
        } catch {
            couldNotRecord("an accepted task could not be recorded", id, error)
            // Where tasks cannot be looked up nobody else will ever know under which id Kling has it.
            if error.code != .stale, error.code != .notFound {
                background.start { [self] in await acceptAtLast(object, in: answer, upstreamID, id) }
            }
            return .open(timedOut: false)
        }
    }

    /// Notes that Kling has a task as soon as the store is back.
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

    // MARK: Look-up

    /// What a look-up by the gateway's own id brought.
    enum LookUp {
        case found(KlingAnswer, upstreamID: String)
        /// Kling says that it has no such task.
        case unknown
        /// Kling said nothing that could be understood.
        case none

        /// The same, for the plan of look-ups.
        var answer: LookUpPlan.Answer {
            switch self {
            case .found: .found
            case .unknown: .unknown
            case .none: .none
            }
        }
    }

    /// Asks an account whether it has a task, by the id that the gateway sent as `external_task_id`.
    ///
    /// A task that says to be another one's is not taken for it, and an account that ignores the gateway's ids is not asked.
    func lookUp(_ id: TaskID, at account: Account) async -> LookUp {
        account.hasLookup == false ? .unknown : await ask(account, for: id)
    }

    private func ask(_ account: Account, for id: TaskID) async -> LookUp {
        guard let answer = try? await caller.query(account, id.description, timeout: Self.listTime).answer else {
            return .none
        }
        if answer.isUnknownTask { return .unknown }
        guard answer.code == .ok, let task = answer.task, let upstreamID = task.taskID,
            task.externalTaskID.map({ $0 == id.description }) ?? true
        else { return .none }
        return .found(answer, upstreamID: upstreamID)
    }

    /// How long Kling may take to know a task that it has just accepted.
    private static let lookupLag = Duration.seconds(5)

    /// Finds out, once, whether an account's tasks can be found by the gateway's own ids: by one of them that Kling has.
    func learnLookup(_ account: Account, _ record: TaskRecord) {
        guard account.mustLearnLookup else { return }
        background.start { [self] in
            for pause in [Duration.zero, Self.lookupLag] {
                guard await background.sleep(until: .now + pause), account.mustLearnLookup else { return }
                switch await ask(account, for: record.id) {
                case .found(_, let upstreamID): return account.learn(hasLookup: upstreamID == record.upstreamID)
                case .none: return
                case .unknown: continue
                }
            }
            if account.mustLearnLookup { account.learn(hasLookup: false) }
        }
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
}
