internal import Base
internal import EventLoop
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Creates single tasks: records the intent, calls Kling, and records the outcome before the client is told.
final class TryOnCreates: Sendable {
    private let ledger: TaskLedger
    private let placement: Placement
    private let sender: CreateSender
    private let openCreates: OpenCreates
    private let attempts: CreateAttempts
    private let bodies: UpstreamBodies
    /// How long a create waits for a free account before it is queued.
    private let dispatchWait: Duration

    init(
        _ ledger: TaskLedger, _ placement: Placement, _ sender: CreateSender, _ openCreates: OpenCreates,
        _ attempts: CreateAttempts, _ bodies: UpstreamBodies, dispatchWait: Duration
    ) {
        (self.ledger, self.placement, self.sender) = (ledger, placement, sender)
        (self.openCreates, self.attempts, self.bodies) = (openCreates, attempts, bodies)
        self.dispatchWait = dispatchWait
    }

    /// Creates a task at Kling.
    ///
    /// Once the intent is recorded, the work belongs to the gateway: it continues if the caller is cancelled.
    /// - Returns: the answer's body, Kling's envelope with the client's ids.
    func create(
        _ request: TryOnRequest, for principal: Principal, idempotency: IdempotencyKey?, _ note: ExchangeNote
    ) async throws(GatewayError) -> [UInt8] {
        if let callback = request.callbackURL { try ledger.callbackDelivery?.check(callback) }
        let create = prepare(request, principal, idempotency, note)
        if let refusal = ledger.running.admit([create.id], for: principal) { throw refusal.error }
        let place: Place
        let hold: CallbackHold?
        do {
            (place, hold) = try await begin(create)
        } catch {
            ledger.running.finish(create.id)
            throw error
        }
        defer { withExtendedLifetime(hold) {} }
        guard let body = note.body, body.beginShield() else {
            return try await finish(note) { [self] () async throws(GatewayError) in
                try await carryOut(create, at: place)
            }
        }
        // The same as ``finish(_:_:)`` does, without its closure.
        attempts.inFlight.withLock { $0 += 1 }
        defer {
            body.endShield()
            attempts.inFlight.withLock { $0 -= 1 }
        }
        do {
            let made = try await carryOut(create, at: place)
            note.resend?.made()
            return made
        } catch {
            if error.taskID != nil { note.resend?.made() }
            throw error
        }
    }

    /// Does work whose intent is recorded. It continues if the caller is cancelled. Tells the ``ResendLedger`` if it has
    /// made a task, or may have.
    func finish<Made: Sendable>(
        _ note: ExchangeNote, _ work: @escaping @Sendable () async throws(GatewayError) -> Made
    ) async throws(GatewayError) -> Made {
        attempts.inFlight.withLock { $0 += 1 }
        let (body, isShielded) = (note.body, note.body?.beginShield() ?? false)
        defer {
            if isShielded { body?.endShield() }
            attempts.inFlight.withLock { $0 -= 1 }
        }
        do {
            let made =
                isShielded ? try await work() : try await EventLoop.current.spawn { await result(work) }.value.get()
            note.resend?.made()
            return made
        } catch {
            if error.taskID != nil { note.resend?.made() }
            throw error
        }
    }

    /// Prepares a create under a new id.
    func prepare(
        _ request: TryOnRequest, _ principal: Principal, _ idempotency: IdempotencyKey?, _ note: ExchangeNote
    ) -> Create {
        let id = note.resend?.task ?? ledger.makeID()
        note.task = id
        let ownID = id.description
        return Create(
            Create.Order(id, ownID, request, principal, idempotency, bodies.usual(request, id, ownID), note),
            deadline: .now + dispatchWait)
    }

    /// Finds a place for a create and records the intent.
    /// - Returns: the place, and the hold on the task's callbacks until the work has ended; nil if it has none.
    private func begin(_ create: Create) async throws(GatewayError) -> (Place, CallbackHold?) {
        while true {
            let place: Place
            if let free = placement.slot(for: create) {
                place = .account(free)
            } else {
                place = try await placement.reserve(for: create)
            }
            if let hold = try await begin(create, at: place) { return (place, hold.value) }
            // Other gateways have the account's last slots: it waits for another place, or in the queue.
        }
    }

    /// Records the intent.
    /// - Returns: the hold on the task's callbacks, if it has any; nil if the place is an account that is full.
    private func begin(_ create: Create, at place: Place) async throws(GatewayError) -> Made<CallbackHold?>? {
        let isCalled = create.request.callbackURL != nil
        let hold = isCalled ? ledger.callbackDelivery.map { CallbackHold([create.id], $0) } : nil
        func record() async throws(StoreError) {
            try await ledger.store.begin(ledger.shared.newTask(create, at: place))
        }
        do {
            try await ledger.shared.begin(create.note, record)
            if let hold { create.note.keep(hold) }
            return Made(value: hold)
        } catch {
            placement.withdraw(create, from: place)
            endIfRecorded([create.id], after: error)
            if error.code == .accountFull, case .account(let destination) = place {
                ledger.accounts.noteFullElsewhere(destination.account.name)
                return nil
            }
            throw error.refusal(of: create.principal)
        }
    }

    /// Ends tasks in the background whose intents may be in the store although their client was told that they are not.
    func endIfRecorded(_ ids: [TaskID], after error: StoreError) {
        guard error.code == .outcomeUnknown else { return }
        ledger.background.start { [ledger] in
            for id in ids { await ledger.endWithRetry(id, because: "not sent; nothing was charged") }
        }
    }

    // MARK: The outcome

    /// Makes or queues a task whose intent is recorded.
    /// - Returns: the answer's body.
    private func carryOut(_ create: Create, at place: Place) async throws(GatewayError) -> [UInt8] {
        switch await sender.send(create, to: place) {
        case .accepted(let record, let answer): return relayed(answer, record, create.ownID)
        case .toQueue(let reservation): return try await enqueue(create, reservation)
        case .open(let account, let timedOut): throw await sender.leaveOpen(create, account, timedOut: timedOut)
        case .refused(let status, let answer):
            let error = sender.refusal(create, status, answer)
            let stored = ErrorAnswer.stored(error, shape: create.note.shape, requestID: create.note.requestID)
            await ledger.giveUp(create.id, because: "refused", answer: stored)
            throw error
        case .nowhere(let error):
            await ledger.giveUp(create.id, because: "no account took it")
            throw error
        }
    }

    private func enqueue(
        _ create: Create, _ reservation: TaskQueue.Reservation
    ) async throws(GatewayError) -> [UInt8] {
        let requestID = create.note.requestID
        let answer: @Sendable (TaskRecord) -> [UInt8] = {
            Envelope.success(requestID: requestID, data: TaskView.json($0))
        }
        do {
            return answer(
                try await sender.enqueue(create, reservation) { StoredAnswer(status: 200, body: answer($0)) })
        } catch {
            await ledger.giveUp(create.id, because: "could not be queued")
            throw error
        }
    }

    /// Kling's answer with the client's ids. Uses the task that is already parsed, unless the record is ahead of it.
    private func relayed(_ answer: KlingAnswer, _ record: TaskRecord, _ ownID: String) -> [UInt8] {
        guard let task = answer.task, TaskState(task.status) ?? record.state >= record.state else {
            return answer.relayed(data: TaskView.json(record))
        }
        return answer.relayed(data: TaskView.json(task, of: record, ownID))
    }

    // MARK: Re-sent creates

    /// The answer to a create that was sent again because its first answer was not read. If the first outcome is still
    /// open, it is settled first, for as long as the first client would have waited.
    /// - Returns: the answer's body, Kling's envelope with the client's ids; nil if the first create has made no task.
    /// - Throws: ``Cause/upstreamFailed`` with the task's id, if the outcome is still open.
    func attached(
        to id: TaskID, _ request: TryOnRequest, _ note: ExchangeNote
    ) async throws(GatewayError) -> [UInt8]? {
        note.task = id
        await openCreates.settleForResend(id) { () throws(GatewayError) in request }
        let record: TaskRecord?
        do {
            record = try await ledger.store.task(id)
        } catch {
            throw GatewayError(error)
        }
        guard let record, !record.wasNeverMade else { return nil }
        if record.upstreamID != nil || record.state == .queued {
            return Envelope.success(requestID: note.requestID, data: TaskView.json(record))
        }
        var error = GatewayError(
            .upstreamFailed,
            "This create was sent before, and its task may have been made. Do not send it again: query it by error.task_id."
        )
        // Telling the client the id makes it the task's public id.
        error.taskID = await ledger.publishID(of: id)
        throw error
    }
}

/// A value that was made.
private struct Made<Value: Sendable>: Sendable {
    let value: Value
}

/// The outcome of `body` as a value, which can be carried out of a task.
func result<Success>(
    _ body: () async throws(GatewayError) -> Success
) async -> Result<Success, GatewayError> {
    do { return .success(try await body()) } catch { return .failure(error) }
}
