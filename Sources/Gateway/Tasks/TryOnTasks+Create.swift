internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// A create on its way: what was asked, by whom, and what is sent.
struct Create: Sendable {
    let id: TaskID
    let request: TryOnRequest
    let principal: Principal
    let idempotency: IdempotencyKey?
    /// What Kling is sent; the same whatever account it goes to.
    let body: [ByteSlice]
    let note: ExchangeNote
    let loop: EventLoop
    /// Until when it may wait for an account before it is queued.
    let deadline: MonotonicTime

    /// How long the body is.
    var byteCount: Int { body.reduce(0) { $0 + $1.count } }
}

/// Create: the intent is written, Kling is called, and what comes of it is written before the client is told.
extension TryOnTasks {
    /// Has Kling make a picture.
    ///
    /// From the intent on the work belongs to the gateway: it goes on when the caller is cancelled.
    /// - Returns: the answer's body, Kling's envelope under the client's ids.
    func create(
        _ request: TryOnRequest, for principal: Principal, idempotency: IdempotencyKey?, _ note: ExchangeNote,
        on loop: EventLoop
    ) async throws(GatewayError) -> [UInt8] {
        if let callback = request.callbackURL, let courier { try CallbackAddress.check(callback, courier.sender) }
        let create = made(request, principal, idempotency, note, loop)
        try admit(create)
        let place: Place
        do {
            place = try await self.place(for: create)
            try await begin(create, at: place)
        } catch {
            running.finish(create.id)
            throw error
        }
        openCreates.withLock { $0 += 1 }
        let work = loop.spawn { [self] in
            defer {
                openCreates.withLock { $0 -= 1 }
                note.hold?.partIsOver()
            }
            return await result { () async throws(GatewayError) in
                switch place {
                case .account(let account): try await carryOut(create, at: account)
                case .queue(let reservation): try await enqueue(create, reservation)
                }
            }
        }
        return try await work.value.get()
    }

    private func made(
        _ request: TryOnRequest, _ principal: Principal, _ idempotency: IdempotencyKey?, _ note: ExchangeNote,
        _ loop: EventLoop
    ) -> Create {
        let id = makeID()
        let callback = options.publicURL.map { callbackTokens.url(publicURL: $0, task: id) }
        return Create(
            id: id, request: request, principal: principal, idempotency: idempotency,
            body: request.upstreamBody(externalTaskID: id.description, callbackURL: callback), note: note, loop: loop,
            deadline: .now + options.dispatchWait)
    }

    private func admit(_ create: Create) throws(GatewayError) {
        guard let limit = create.principal.limits.concurrency else { return }
        guard running.admit(create.id, key: create.principal.keyID, limit: limit, now: .now) else {
            throw GatewayError(
                .runningTasks, "This key has \(limit) tasks running, which is its limit. Wait until one has ended.")
        }
    }

    // MARK: Where to

    /// Where a create goes.
    private enum Place {
        case account(Account)
        case queue(TaskQueue.Reservation)
    }

    /// A slot of an account, now or before the deadline; else a place in the queue.
    private func place(for create: Create) async throws(GatewayError) -> Place {
        let (id, model) = (create.id, create.request.model)
        if let account = accounts.reserve(id, model: model) { return .account(account) }
        let isWorthWaiting = accounts.canQueue(model: model)
        if isWorthWaiting,
            let account = await accounts.wait(
                for: id, tenant: create.principal.tenant, model: model, until: create.deadline, on: create.loop)
        {
            return .account(account)
        }
        guard isWorthWaiting, !Task.isCancelled, let queue, let reservation = queue.reserve(create.byteCount) else {
            throw accounts.whyNot(model: model)
        }
        return .queue(reservation)
    }

    private func begin(_ create: Create, at place: Place) async throws(GatewayError) {
        var account: Account?
        if case .account(let chosen) = place { account = chosen }
        let task = NewTask(
            id: create.id, tenant: create.principal.tenant, account: account?.name,
            externalTaskID: create.request.externalTaskID, model: create.request.model,
            callbackURL: create.request.callbackURL?.text,
            keyID: create.principal.limits.concurrency == nil ? nil : create.principal.keyID,
            idempotency: create.idempotency, createdAt: WallClock.milliseconds)
        if task.callbackURL != nil, let courier { create.note.hold = CallbackHold(create.id, courier) }
        do {
            try await store.begin(task)
        } catch {
            create.note.hold?.partIsOver()
            if let account { accounts.settled(create.id, on: account.name, .withdrawn) }
            if case .queue(let reservation) = place { queue?.cancel(reservation) }
            throw GatewayError(error)
        }
    }

    // MARK: Sending

    /// Calls Kling for a task whose intent is written, one account after the other for as long as none has taken it.
    private func carryOut(_ create: Create, at first: Account) async throws(GatewayError) -> [UInt8] {
        var account = first
        while true {
            var attempt = await attempt(create.body, create.id, at: account, create.note)
            if case .open(let timedOut) = attempt {
                attempt = await settle(create.id, at: account, timedOut: timedOut) { create.body }
            }
            switch attempt {
            case .accepted(let record, let answer): return relayed(answer, record)
            case .refused(let status, let answer): throw await refusal(create, status, answer)
            case .open(let timedOut): throw await leftOpen(create, account, timedOut: timedOut)
            case .declined:
                // The account's state keeps it from being chosen again at once.
                switch try await nextPlace(for: create) {
                case .account(let next): account = next
                case .queue(let reservation): return try await enqueue(create, reservation)
                }
            }
        }
    }

    /// Kling's answer under the client's ids. What Kling has just said is not read a second time.
    private func relayed(_ answer: KlingAnswer, _ record: TaskRecord) -> [UInt8] {
        answer.relayed(data: answer.task.map { TaskView.json($0, of: record) } ?? TaskView.json(record))
    }

    /// Where a task goes that an account has declined. If nowhere, its record ends.
    private func nextPlace(for create: Create) async throws(GatewayError) -> Place {
        do {
            if let account = accounts.reserve(create.id, model: create.request.model) {
                try await assign(create, to: account)
                return .account(account)
            }
            // While it waits no account may have it: if it ends here, nobody need be asked.
            try await assign(create, to: nil)
            let place = try await place(for: create)
            if case .account(let account) = place { try await assign(create, to: account) }
            return place
        } catch {
            await giveUp(create, "no account took it")
            throw error
        }
    }

    private func assign(_ create: Create, to account: Account?) async throws(GatewayError) {
        do {
            _ = try await store.assign(create.id, account: account?.name, at: WallClock.milliseconds)
        } catch {
            if let account { accounts.settled(create.id, on: account.name, .withdrawn) }
            throw GatewayError(error)
        }
    }

    /// Kling will not have it: in Kling's own words.
    private func refusal(_ create: Create, _ status: Int, _ answer: KlingAnswer) async -> GatewayError {
        let message = Disclosure.withheld(create.id, create.request.externalTaskID, from: answer.message)
        let error = GatewayError(status: status, answer: answer, message: message)
        await giveUp(create, "refused", answer: ErrorAnswer.stored(error, requestID: create.note.requestID))
        return error
    }

    /// The task was not made, and the client's `external_task_id` is free again.
    private func giveUp(_ create: Create, _ reason: String, answer: StoredAnswer? = nil) async {
        running.finish(create.id)
        do {
            try await end(create.id, because: reason, answer: answer)
        } catch {
            couldNotRecord("a refused task could not be recorded", create.id, error)
            // Not the create: its body may be large, and the store away for long.
            background.start { [self, id = create.id] in await endAtLast(id, because: reason, answer: answer) }
        }
    }

    /// Nobody knows, and the client has waited long enough: it is told the id by which the task can be queried.
    private func leftOpen(_ create: Create, _ account: Account, timedOut: Bool) async -> GatewayError {
        var publicID = create.id.description
        do {
            // Kling's own, if the task was found by other ways just now.
            publicID = try await store.show(create.id, at: WallClock.milliseconds).publicID ?? publicID
        } catch {
            couldNotRecord("an open task could not be recorded", create.id, error)
        }
        settleInBackground(create.id, at: account)
        let what = timedOut ? "Kling did not answer in time" : "Kling's answer was lost"
        var error = GatewayError(
            timedOut ? .upstreamTimedOut : .upstreamFailed,
            "\(what), and the task may have been made. Do not send it again: query it by error.task_id.")
        error.taskID = publicID
        return error
    }

    // MARK: Queueing

    /// Has a task wait for an account: the client is told `submitted`, under the gateway's own id.
    private func enqueue(
        _ create: Create, _ reservation: TaskQueue.Reservation
    ) async throws(GatewayError) -> [UInt8] {
        guard let queue else { throw .internalFault }
        let requestID = create.note.requestID
        let answer: @Sendable (TaskRecord) -> [UInt8] = {
            Envelope.success(requestID: requestID, data: TaskView.json($0))
        }
        do {
            try await queue.keep(create.body, of: create.id)
            let record = try await store.queue(
                create.id, payload: create.byteCount, at: WallClock.milliseconds
            ) { StoredAnswer(status: 200, body: answer($0)) }
            queue.confirm(reservation, record)
            follow(record)
            return answer(record)
        } catch {
            queue.cancel(reservation)
            queue.discard(create.id)
            caller.observer.event(
                .error, "a task could not be queued", [("task", create.id.description), ("reason", "\(error)")])
            await giveUp(create, "could not be queued")
            throw GatewayError(
                .storeUnavailable, "The gateway cannot keep the request. Nothing was made; send it again.")
        }
    }
}

/// The outcome of `body` as a value, which can be carried out of a task.
private func result<Success>(
    _ body: () async throws(GatewayError) -> Success
) async -> Result<Success, GatewayError> {
    do { return .success(try await body()) } catch { return .failure(error) }
}
