internal import Base
internal import KlingAPI
internal import TaskStore

/// What has become of sending a create, from account to account.
enum Sent: Sendable {
    /// Kling has the task, and the store says so.
    case accepted(TaskRecord, KlingAnswer)
    /// No account will take it, in Kling's own words.
    case refused(httpStatus: Int, KlingAnswer)
    /// Nobody knows whether that account has the task.
    case open(Account, timedOut: Bool)
    /// No account has room: there is a place in the queue.
    case toQueue(TaskQueue.Reservation)
    /// There is no place for it anywhere.
    case nowhere(GatewayError)
}

/// Sending: one account after the other for as long as none has taken the task.
extension TryOnTasks {
    /// Calls Kling for a task whose intent is written.
    /// - Parameter first: where to, as the intent says; nil: it does not.
    func send(_ create: Create, at first: Destination?) async -> Sent {
        var create = create
        var next = first
        var decliner: Account?
        var refusal: GatewayError?
        while true {
            let destination: Destination
            if let next {
                destination = next
            } else {
                switch await nextPlace(for: create, after: decliner) {
                case .success(.account(let other)): destination = other
                case .success(.queue(let reservation)): return .toQueue(reservation)
                case .failure(let error): return .nowhere(noAccount(for: create, refusal) ?? error)
                }
            }
            let account = destination.account
            let sent: (attempt: Attempt, to: Destination)
            do {
                sent = try await attempt(create, at: destination)
            } catch {
                accounts.settled(create.id, on: account.name, .withdrawn)
                return .nowhere(error)
            }
            switch sent.attempt {
            case .accepted(let record, let answer): return .accepted(record, answer)
            case .refused(let status, let answer): return .refused(httpStatus: status, answer)
            case .open(let timedOut): return .open(account, timedOut: timedOut)
            // The account's state keeps it from being chosen again at once.
            case .declined: (next, decliner) = (nil, account)
            case .unsuitable(let error):
                (next, decliner, refusal) = (nil, account, error)
                create.excluding.insert(account.name)
            }
        }
    }

    /// Sends a create to one account, and waits for what comes of it as long as its client does.
    private func attempt(
        _ create: Create, at destination: Destination
    ) async throws(GatewayError) -> (attempt: Attempt, to: Destination) {
        let body = { (to: Destination) async throws(GatewayError) in try await self.body(of: create, for: to) }
        let sent = try await attempt(create.id, at: destination, create.note, body: body)
        guard case .open(let timedOut) = sent.attempt else { return sent }
        let settled = await settle(create.id, at: sent.to, timedOut: timedOut) { try? await body(sent.to) }
        return (settled, sent.to)
    }

    /// What a client is told whose request no account takes that could be asked; nil if one may later.
    private func noAccount(for create: Create, _ refusal: GatewayError?) -> GatewayError? {
        guard let refusal, !accounts.canQueue(model: create.request.model, excluding: create.excluding) else {
            return nil
        }
        return refusal
    }

    /// Where a task goes that no account has, durably.
    /// - Parameter decliner: the account that its record names.
    private func nextPlace(for create: Create, after decliner: Account?) async -> Result<Place, GatewayError> {
        await result { () async throws(GatewayError) in
            if let account = accounts.reserve(create.id, model: create.request.model, excluding: create.excluding) {
                let destination = Destination(account)
                try await assign(create, to: destination)
                return .account(destination)
            }
            // While it waits no account may have it: if it ends here, nobody need be asked.
            if decliner != nil { try await assign(create, to: nil) }
            let place = try await place(for: create)
            if case .account(let destination) = place { try await assign(create, to: destination) }
            return place
        }
    }

    private func assign(_ create: Create, to destination: Destination?) async throws(GatewayError) {
        do {
            try await store.assign(create.id, to: destination, at: clock.now)
        } catch {
            if let destination { accounts.settled(create.id, on: destination.account.name, .withdrawn) }
            throw GatewayError(error)
        }
    }

    // MARK: A task of its own

    /// Has a task made or queued.
    /// - Returns: the answer's body.
    func carryOut(_ create: Create, at place: Place) async throws(GatewayError) -> [UInt8] {
        switch await sent(create, to: place) {
        case .accepted(let record, let answer): return relayed(answer, record)
        case .refused(let status, let answer):
            let error = refusal(create, status, answer)
            let stored = ErrorAnswer.stored(error, shape: create.note.shape, requestID: create.note.requestID)
            await giveUp(create, "refused", answer: stored)
            throw error
        case .open(let account, let timedOut): throw await leftOpen(create, account, timedOut: timedOut)
        case .nowhere(let error):
            await giveUp(create, "no account took it")
            throw error
        case .toQueue(let reservation):
            let requestID = create.note.requestID
            let answer: @Sendable (TaskRecord) -> [UInt8] = {
                Envelope.success(requestID: requestID, data: TaskView.json($0))
            }
            do {
                let record = try await enqueue(create, reservation) { StoredAnswer(status: 200, body: answer($0)) }
                return answer(record)
            } catch {
                await giveUp(create, "could not be queued")
                throw error
            }
        }
    }

    /// Sends a task, unless its place is in the queue.
    func sent(_ create: Create, to place: Place) async -> Sent {
        switch place {
        case .account(let account): await send(create, at: account)
        case .queue(let reservation): .toQueue(reservation)
        }
    }

    /// Kling's answer under the client's ids. What Kling has just said is not read a second time, unless more is known by now.
    private func relayed(_ answer: KlingAnswer, _ record: TaskRecord) -> [UInt8] {
        guard let task = answer.task, TaskState(task.status) ?? record.state >= record.state else {
            return answer.relayed(data: TaskView.json(record))
        }
        return answer.relayed(data: TaskView.json(task, of: record))
    }

    // MARK: What comes of it

    /// Kling will not have it: in Kling's own words.
    func refusal(_ create: Create, _ status: Int, _ answer: KlingAnswer) -> GatewayError {
        let message = Disclosure.withheld(create.id, create.request.externalTaskID, from: answer.message)
        return GatewayError(status: status, answer: answer, message: message)
    }

    /// The task was not made, and the client's `external_task_id` is free again.
    func giveUp(_ create: Create, _ reason: String, answer: StoredAnswer? = nil) async {
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
    func leftOpen(_ create: Create, _ account: Account, timedOut: Bool) async -> GatewayError {
        let publicID = await shown(create.id)
        settleInBackground(create.id, at: account)
        let what = timedOut ? "Kling did not answer in time" : "Kling's answer was lost"
        var error = GatewayError(
            timedOut ? .upstreamTimedOut : .upstreamFailed,
            "\(what), and the task may have been made. Do not send it again: query it by error.task_id.")
        error.taskID = publicID
        return error
    }

    /// Has a task wait for an account: the client is told `submitted`, under the gateway's own id. If that cannot be kept,
    /// the task is still an intent.
    /// - Parameters:
    ///   - account: the only one that may have it.
    ///   - answering: what the client is told, for its `Idempotency-Key`.
    func enqueue(
        _ create: Create, _ reservation: TaskQueue.Reservation, account: String? = nil,
        answering: @escaping @Sendable (TaskRecord) -> StoredAnswer
    ) async throws(GatewayError) -> TaskRecord {
        guard let queue else { throw .internalFault }
        do {
            try await queue.keep(create.body, of: create.id)
            let record = try await store.queue(
                create.id, payload: create.byteCount, at: clock.now, answering: answering)
            queue.confirm(reservation, record, account: account)
            follow(record)
            return record
        } catch {
            queue.cancel(reservation)
            queue.discard(create.id)
            caller.observer.event(
                .error, "a task could not be queued", [("task", create.id.description), ("reason", "\(error)")])
            throw GatewayError(
                .storeUnavailable, "The gateway cannot keep the request. Nothing was made; send it again.")
        }
    }
}
