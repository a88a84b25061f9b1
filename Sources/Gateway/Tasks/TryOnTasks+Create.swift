internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// Create: the intent is written, Kling is called, and what comes of it is written before the client is told.
extension TryOnTasks {
    /// Has Kling make a picture.
    ///
    /// From the intent on the work belongs to the gateway: it goes on when the caller is cancelled.
    /// - Returns: the answer's body, Kling's envelope under the client's ids.
    func create(
        _ request: TryOnRequest, for principal: Principal, _ note: ExchangeNote, on loop: EventLoop
    ) async throws(GatewayError) -> [UInt8] {
        let id = makeID()
        try admit(id, principal)
        guard let account = await slot(for: id, request.model, principal.tenant, on: loop) else {
            running.finish(id)
            throw accounts.whyNot(model: request.model)
        }
        let task = NewTask(
            id: id, tenant: principal.tenant, account: account.name, externalTaskID: request.externalTaskID,
            model: request.model, callbackURL: request.callbackURL?.text, createdAt: WallClock.milliseconds)
        do {
            try await store.begin(task)
        } catch {
            running.finish(id)
            accounts.settled(id, on: account.name, .withdrawn)
            throw GatewayError(error)
        }
        openCreates.withLock { $0 += 1 }
        let work = loop.spawn {
            defer { openCreates.withLock { $0 -= 1 } }
            return await result { () async throws(GatewayError) in
                try await carryOut(request, task, account, note, on: loop)
            }
        }
        return try await work.value.get()
    }

    /// How long a create waits for a slot.
    private static let patience: Duration = .seconds(1)

    /// An account for a create; waits for one if there is any that may come free.
    private func slot(for id: TaskID, _ model: String, _ tenant: String, on loop: EventLoop) async -> Account? {
        if let account = accounts.reserve(id, model: model) { return account }
        guard accounts.canQueue(model: model) else { return nil }
        return await accounts.wait(for: id, tenant: tenant, model: model, until: .now + Self.patience, on: loop)
    }

    private func admit(_ id: TaskID, _ principal: Principal) throws(GatewayError) {
        guard let limit = principal.limits.concurrency else { return }
        guard running.admit(id, key: principal.keyID, limit: limit, now: .now) else {
            throw GatewayError(
                .runningTasks, "This key has \(limit) tasks running, which is its limit. Wait until one has ended.")
        }
    }

    /// Calls Kling for a task whose intent is written.
    private func carryOut(
        _ request: TryOnRequest, _ task: NewTask, _ account: Account, _ note: ExchangeNote, on loop: EventLoop
    ) async throws(GatewayError) -> [UInt8] {
        let body = request.upstreamBody(externalTaskID: task.id.description, callbackURL: nil)
        let answered: KlingCaller.Answered
        let start = MonotonicTime.now
        do {
            answered = try await caller.create(account, body)
            note.waitedForKling(since: start)
        } catch {
            note.waitedForKling(since: start)
            accounts.settled(task.id, on: account.name, error.wasSent ? .ambiguous : .notSent)
            if error.wasSent { return try await resolve(task, account, timedOut: error.fault == .timeout, on: loop) }
            await refuse(task, "not sent")
            throw GatewayError(.accountsCooling, "Kling cannot be reached. Nothing was sent; send the request again.")
        }
        switch CreateOutcome(httpStatus: answered.status, answer: answered.answer) {
        case .accepted(let upstreamID):
            accounts.settled(task.id, on: account.name, .accepted)
            guard let answer = answered.answer, let object = answer.task else { throw .internalFault }
            return try await accepted(answer, object, upstreamID, task)
        case .refusedForNow:
            let fault = AccountFault(httpStatus: answered.status, answer: answered.answer)
            accounts.settled(task.id, on: account.name, .refusedForNow(fault))
            await refuse(task, "refused for now")
            throw refusedForNow(answered, account)
        case .refusedForGood:
            accounts.settled(task.id, on: account.name, .refusedForGood)
            await refuse(task, "refused")
            guard let answer = answered.answer else { throw .internalFault }
            let message = Disclosure.withheld(task.id, task.externalTaskID, from: answer.message)
            throw GatewayError(status: answered.status, answer: answer, message: message)
        case .ambiguous:
            accounts.settled(task.id, on: account.name, .ambiguous)
            let timedOut = answered.answer?.code == .timeout || answered.status == 504
            return try await resolve(task, account, timedOut: timedOut, on: loop)
        }
    }

    /// What a client is told when the account refused the task for now.
    private func refusedForNow(_ answered: KlingCaller.Answered, _ account: Account) -> GatewayError {
        let code = answered.answer?.code
        switch code?.class ?? (answered.status == 429 ? .rateLimited : .unavailable) {
        case .saturated:
            return GatewayError(
                .accountsFull, "As many tasks run at Kling as may run at once. Send the request again later.")
        case .rateLimited:
            return GatewayError(
                .accountsRateLimited, "Kling gets too many requests. Send the request again in a moment.")
        case .unavailable:
            return GatewayError(.accountsCooling, "Kling is unavailable. Nothing was made; send the request again.")
        default:
            caller.observer.event(
                .error, "Kling refuses the account",
                [
                    ("account", account.name), ("code", "\(code?.rawValue ?? 0)"),
                    ("reason", answered.answer?.message ?? ""),
                ])
            return GatewayError(
                .accountsDisabled,
                "The gateway's account at Kling cannot be used. Its operator must act: the cause is in the gateway's log."
            )
        }
    }

    private func accepted(
        _ answer: KlingAnswer, _ object: TaskObject, _ upstreamID: String, _ task: NewTask
    ) async throws(GatewayError) -> [UInt8] {
        do {
            let record = try await accept(object, in: answer, upstreamID: upstreamID, task.id)
            return answer.relayed(data: TaskView.json(object, of: record))
        } catch {
            // Kling has the task and the intent names it: a query by the gateway's id looks it up when the store is back.
            caller.observer.event(
                .error, "an accepted task could not be recorded",
                [("task", task.id.description), ("upstream_task", upstreamID), ("reason", error.detail)])
            throw unresolved(task, timedOut: false)
        }
    }

    /// The task was not made: its record ends, unseen unless a query has named it meanwhile, and the client's
    /// `external_task_id` is free again.
    private func refuse(_ task: NewTask, _ reason: String) async {
        running.finish(task.id)
        let now = WallClock.milliseconds
        do {
            do {
                try await store.refuse(task.id, reason: reason, at: now, answer: nil)
            } catch  where error.code == .stale {
                let failed = Observation(state: .failed, statusWord: reason, answer: nil, at: now)
                let record = try await store.observe(task.id, failed)
                cache.entry(TaskCache.Key(tenant: task.tenant, id: record.publicID ?? ""))?.update(record, now: .now)
            }
        } catch {
            caller.observer.event(
                .warning, "a refused task could not be recorded",
                [("task", task.id.description), ("reason", error.detail)])
        }
    }

    // MARK: Ambiguity

    /// When an open outcome is looked up while the client waits: after these pauses.
    private static let lookUpPauses: [Duration] = [.zero, .seconds(1), .seconds(2), .seconds(4)]

    /// Nobody knows whether Kling has the task: it is asked for the gateway's id, by which it knows the task.
    ///
    /// Not found is no proof that the task was not made: the record stays open, and queries go on asking.
    private func resolve(
        _ task: NewTask, _ account: Account, timedOut: Bool, on loop: EventLoop
    ) async throws(GatewayError) -> [UInt8] {
        for pause in Self.lookUpPauses {
            if pause > .zero { try? await loop.sleep(for: pause) }
            guard let answered = try? await caller.query(account, task.id.description, timeout: Self.listTime),
                let answer = answered.answer, !answer.isUnknownTask, answer.code == .ok,
                let object = answer.task, let upstreamID = object.taskID
            else { continue }
            return try await accepted(answer, object, upstreamID, task)
        }
        do {
            _ = try await store.show(task.id, at: WallClock.milliseconds)
        } catch {
            caller.observer.event(
                .error, "an open task could not be recorded", [("task", task.id.description), ("reason", error.detail)])
        }
        throw unresolved(task, timedOut: timedOut)
    }

    private func unresolved(_ task: NewTask, timedOut: Bool) -> GatewayError {
        let what = timedOut ? "Kling did not answer in time" : "Kling's answer was lost"
        var error = GatewayError(
            timedOut ? .upstreamTimedOut : .upstreamFailed,
            "\(what), and the task may have been made. Do not send it again: query it by error.task_id.")
        error.taskID = task.id.description
        return error
    }
}

/// The outcome of `body` as a value, which can be carried out of a task.
private func result<Success>(
    _ body: () async throws(GatewayError) -> Success
) async -> Result<Success, GatewayError> {
    do { return .success(try await body()) } catch { return .failure(error) }
}
