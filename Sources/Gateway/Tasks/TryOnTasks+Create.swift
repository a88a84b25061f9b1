internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// A create on its way: what was asked, and how it looks for an account. What was asked is on the heap, as it goes through
/// a dozen asynchronous calls.
@dynamicMemberLookup
struct Create: Sendable {
    /// What was asked, by whom, and what is sent.
    final class Order: Sendable {
        let id: TaskID
        let request: TryOnRequest
        let principal: Principal
        let idempotency: IdempotencyKey?
        /// What Kling is sent; the same whatever account it goes to.
        let body: [ByteSlice]
        let note: ExchangeNote
        let loop: EventLoop

        init(
            _ id: TaskID, _ request: TryOnRequest, _ principal: Principal, _ idempotency: IdempotencyKey?,
            _ body: [ByteSlice], _ note: ExchangeNote, _ loop: EventLoop
        ) {
            (self.id, self.request, self.principal, self.idempotency) = (id, request, principal, idempotency)
            (self.body, self.note, self.loop) = (body, note, loop)
        }
    }

    private let order: Order
    /// Until when it may wait for an account before it is queued.
    var deadline: MonotonicTime
    /// Accounts that must not have it, by name.
    var excluding: Set<String> = []
    /// A place in the queue that was taken ahead for it.
    var room: TaskQueue.Reservation?

    init(_ order: Order, deadline: MonotonicTime) { (self.order, self.deadline) = (order, deadline) }

    subscript<Value>(dynamicMember member: KeyPath<Order, Value>) -> Value { order[keyPath: member] }

    /// The intent of it, made at a time in milliseconds since 1970.
    func newTask(at place: TryOnTasks.Place?, createdAt: Int64) -> NewTask {
        order.newTask(at: place, createdAt: createdAt)
    }

    /// How long the body is.
    var byteCount: Int { order.body.reduce(0) { $0 + $1.count } }
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
            return await result { () async throws(GatewayError) in try await carryOut(create, at: place) }
        }
        return try await known(note, work.value.get)
    }

    /// Tells whoever remembers the create whether there is a task now, or may be one.
    func known<Made>(
        _ note: ExchangeNote, _ outcome: () throws(GatewayError) -> Made
    ) throws(GatewayError) -> Made {
        do {
            let made = try outcome()
            note.resend?.made()
            return made
        } catch {
            if error.taskID != nil { note.resend?.made() }
            throw error
        }
    }

    func made(
        _ request: TryOnRequest, _ principal: Principal, _ idempotency: IdempotencyKey?, _ note: ExchangeNote,
        _ loop: EventLoop
    ) -> Create {
        let id = note.resend?.task ?? makeID()
        note.task = id
        let body = request.upstreamBody(externalTaskID: id.description, callbackURL: callbackURL(of: id))
        return Create(
            Create.Order(id, request, principal, idempotency, body, note, loop), deadline: .now + options.dispatchWait)
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
    enum Place {
        case account(Destination)
        case queue(TaskQueue.Reservation)
    }

    /// A slot of an account, now or before the deadline; else a place in the queue.
    func place(for create: Create) async throws(GatewayError) -> Place {
        let (id, model, excluding) = (create.id, create.request.model, create.excluding)
        if let account = accounts.reserve(id, model: model, excluding: excluding) {
            return .account(Destination(account))
        }
        if let refusal = refusal(of: create.request, excluding: excluding) { throw refusal }
        let isWorthWaiting = accounts.canQueue(model: model, excluding: excluding)
        if isWorthWaiting,
            let account = await accounts.wait(
                for: id, tenant: create.principal.tenant, model: model, excluding: excluding, until: create.deadline,
                on: create.loop)
        {
            return .account(Destination(account))
        }
        guard isWorthWaiting, !Task.isCancelled, let queue,
            let reservation = create.room ?? queue.reserve(create.byteCount)
        else {
            throw accounts.whyNot(model: model, excluding: excluding)
        }
        return .queue(reservation)
    }

    /// Nothing came of a place.
    func withdraw(_ create: Create, from place: Place) {
        switch place {
        case .account(let chosen): accounts.settled(create.id, on: chosen.account.name, .withdrawn)
        case .queue(let reservation): queue?.cancel(reservation)
        }
    }

    private func begin(_ create: Create, at place: Place) async throws(GatewayError) {
        let task = create.newTask(at: place, createdAt: clock.now)
        if task.callbackURL != nil, let courier { create.note.hold = CallbackHold([create.id], courier) }
        do {
            try await store.begin(task)
        } catch {
            create.note.hold?.partIsOver()
            withdraw(create, from: place)
            throw GatewayError(error)
        }
    }
}

extension Create.Order {
    fileprivate func newTask(at place: TryOnTasks.Place?, createdAt: Int64) -> NewTask {
        var destination: Destination?
        if case .account(let chosen) = place { destination = chosen }
        let account = destination?.account
        return NewTask(
            id: id, tenant: principal.tenant, account: account?.name, accountIdentity: account?.identity.number,
            api: destination?.dialect.rawValue, externalTaskID: request.externalTaskID, model: request.model,
            callbackURL: request.callbackURL?.text,
            keyID: principal.limits.concurrency == nil ? nil : principal.keyID, idempotency: idempotency,
            content: note.resend?.key.content,
            shape: note.shape == .solutions ? note.shape.rawValue : nil, createdAt: createdAt)
    }
}

/// The outcome of `body` as a value, which can be carried out of a task.
func result<Success>(
    _ body: () async throws(GatewayError) -> Success
) async -> Result<Success, GatewayError> {
    do { return .success(try await body()) } catch { return .failure(error) }
}
