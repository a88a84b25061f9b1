internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// Jobs: requests for several tasks, admitted whole or not at all.
///
/// The first task goes ahead: what Kling makes of it decides whether there is a job. Until then nothing is paid for
/// the others, and a refusal needs no more than one call.
extension TryOnTasks {
    /// How long a task that was admitted waits for an account where there is no queue.
    private static let patience = Duration.seconds(300)

    /// Has Kling make as many pictures as asked for.
    ///
    /// It returns when the first task was accepted, or when all of them are queued; the others are sent then, and never
    /// turn the job into an error: what Kling refuses of them has failed, in the job. From the intents on the work
    /// belongs to the gateway: it goes on when the caller is cancelled.
    /// - Throws: what keeps the job from being admitted as a whole (slots, queue, the key's running tasks, `maxJobs`, an
    ///   unknown `account`); what became of its first task, if that is no acceptance. Then no task was made, but where
    ///   ``GatewayError/taskID`` names one whose outcome is open; ``GatewayError/job`` is its job.
    func createJob(
        _ request: JobRequest, for principal: Principal, _ note: ExchangeNote, on loop: EventLoop
    ) async throws(GatewayError) -> JobRecord {
        if let callback = request.callbackURL ?? request.tryOn.callbackURL, let courier {
            try CallbackAddress.check(callback, courier.sender)
        }
        var creates = try made(request, principal, note, loop)
        try admit(creates, principal)
        let place: Place
        let job: JobRecord
        do {
            place = try await self.place(for: creates[0])
            try takeRoom(for: &creates, beside: place)
            job = try await begin(creates, at: place, request, note)
        } catch {
            for create in creates { running.finish(create.id) }
            throw error
        }
        openCreates.withLock { $0 += 1 }
        let work = loop.spawn { [self, creates] in
            defer {
                openCreates.withLock { $0 -= 1 }
                note.hold?.partIsOver()
            }
            return await result { () async throws(GatewayError) in
                try await carryOut(job, creates, at: place, request)
            }
        }
        return try await known(note, work.value.get)
    }

    // MARK: Admission

    private func made(
        _ request: JobRequest, _ principal: Principal, _ note: ExchangeNote, _ loop: EventLoop
    ) throws(GatewayError) -> [Create] {
        precondition(JobRecord.sizes.contains(request.count), "a job has one task to four")
        if let name = request.account, accounts.named(name) == nil {
            throw GatewayError(
                .badParameter, "email names no account of this gateway. Send the name of one, or leave email out.",
                parameter: "email")
        }
        let excluding = accounts.others(than: request.account)
        return (0..<request.count).map { index in
            // The time that the others take is not the exchange's.
            let note = index == 0 ? note : ExchangeNote(requestID: note.requestID)
            var create = made(request.tryOn, principal, nil, note, loop)
            create.excluding = excluding
            return create
        }
    }

    private func admit(_ creates: [Create], _ principal: Principal) throws(GatewayError) {
        guard let limit = principal.limits.concurrency else { return }
        guard running.admit(creates.map(\.id), key: principal.keyID, limit: limit) else {
            throw GatewayError(
                .runningTasks,
                "This request needs \(creates.count) running tasks, and this key may have \(limit). Wait until some have "
                    + "ended, or ask for fewer pictures.")
        }
    }

    /// Takes places in the queue for all tasks but the first, in case that no account has room when they are sent. Where
    /// the queue has none, they must fit into the limits of the accounts.
    private func takeRoom(for creates: inout [Create], beside place: Place) throws(GatewayError) {
        if creates.count == 1 { return }
        let (model, excluding) = (creates[0].request.model, creates[0].excluding)
        if let rooms = queue?.reserve(creates.dropFirst().map(\.byteCount)) {
            for (index, room) in rooms.enumerated() { creates[index + 1].room = room }
        } else {
            if case .account = place, accounts.fits(creates.count - 1, model: model, excluding: excluding) { return }
            withdraw(creates[0], from: place)
            throw accounts.whyNot(model: model, excluding: excluding)
        }
    }

    private func begin(
        _ creates: [Create], at place: Place, _ request: JobRequest, _ note: ExchangeNote
    ) async throws(GatewayError) -> JobRecord {
        let tasks = creates.enumerated().map { index, create in
            var task = create.newTask(at: index == 0 ? place : nil, createdAt: clock.now)
            if index > 0 { task.externalTaskID = nil }
            if request.callbackURL != nil { task.callbackURL = nil }
            return task
        }
        let isCalled = request.callbackURL != nil || tasks[0].callbackURL != nil
        let first = tasks[0].id
        answering.withLock { _ = $0.insert(first) }
        note.hold = CallbackHold(tasks.map(\.id), isCalled ? courier : nil) { [self] in
            answering.withLock { _ = $0.remove(first) }
        }
        do {
            return try await store.begin(
                tasks, job: NewJob(request, tenant: creates[0].principal.tenant, createdAt: clock.now))
        } catch {
            note.hold?.partIsOver()
            withdraw(creates[0], from: place)
            cancelRooms(of: creates)
            throw GatewayError(error)
        }
    }

    private func cancelRooms(of creates: [Create]) {
        for room in creates.compactMap(\.room) { queue?.cancel(room) }
    }

    // MARK: The first task

    private func carryOut(
        _ job: JobRecord, _ creates: [Create], at place: Place, _ request: JobRequest
    ) async throws(GatewayError) -> JobRecord {
        var job = job
        let (first, others) = (creates[0], creates.dropFirst())
        switch await sent(first, to: place) {
        case .accepted(let record, _):
            job.tasks[0] = record
            for other in others { sendInBackground(other, job) }
        case .toQueue(let reservation):
            do {
                job.tasks[0] = try await enqueue(first, reservation, account: job.account, answering: Self.unasked)
            } catch {
                await giveUp(job, creates, "could not be queued")
                throw error
            }
            for index in creates.indices.dropFirst() {
                job.tasks[index] = await queueOrSend(creates[index], job, index)
            }
        case .refused(let status, let answer):
            let error = refusal(first, status, answer)
            await giveUp(job, creates, error.message, answer: request.refusal(error))
            throw error
        case .nowhere(let error):
            await giveUp(job, creates, "no account took it")
            throw error
        case .open(let account, let timedOut):
            var error = await leftOpen(first, account, timedOut: timedOut)
            error.job = job.number
            // Its client is told of an error: no more than the one is paid for.
            cancelRooms(of: creates)
            for other in others { await giveUp(other, "not sent; nothing was charged") }
            throw error
        }
        return job
    }

    /// A task of a job has no key of its own to answer.
    private static let unasked: @Sendable (TaskRecord) -> StoredAnswer = { _ in
        preconditionFailure("a task of a job has no Idempotency-Key")
    }

    /// Kling has none of a job's tasks, and its client is told so.
    private func giveUp(_ job: JobRecord, _ creates: [Create], _ reason: String, answer: StoredAnswer? = nil) async {
        cancelRooms(of: creates)
        do {
            try await refuse(job, reason, answer)
        } catch {
            couldNotRecord("a refused job could not be recorded", job.tasks[0].id, error)
            background.start { [self] in
                while await background.sleep(until: .now + .seconds(5)) {
                    do throws(StoreError) { return try await refuse(job, reason, answer) } catch { continue }
                }
            }
        }
    }

    private func refuse(_ job: JobRecord, _ reason: String, _ answer: StoredAnswer?) async throws(StoreError) {
        do {
            try await store.refuse(job: job.number, reason: reason, at: clock.now, answer: answer)
            for task in job.tasks { forget(task.id) }
        } catch  where error.code == .stale {
            // One was found at Kling after all, by a callback: the others have failed in that job.
            for task in job.tasks { try await end(task.id, because: reason) }
        }
    }

    // MARK: The others

    /// Sends a task of a job that its client knows of.
    private func sendInBackground(_ create: Create, _ job: JobRecord) {
        openCreates.withLock { $0 += 1 }
        create.loop.spawn { [self] in
            var create = create
            create.deadline = .now + (create.room == nil ? Self.patience : options.dispatchWait)
            await finish(create, await send(create, at: nil), job)
            openCreates.withLock { $0 -= 1 }
        }
    }

    private func finish(_ create: Create, _ sent: Sent, _ job: JobRecord) async {
        switch sent {
        case .toQueue(let reservation):
            do {
                _ = try await enqueue(create, reservation, account: job.account, answering: Self.unasked)
            } catch {
                await giveUp(create, "could not be queued; nothing was charged")
            }
            return
        case .accepted: break
        case .refused(let status, let answer): await giveUp(create, refusal(create, status, answer).message)
        case .nowhere(let error): await giveUp(create, error.message)
        case .open(let account, _): settleInBackground(create.id, at: account)
        }
        cancelRooms(of: [create])
    }

    /// Puts a task of a queued job beside its first one; it is sent as others are if that can't be.
    private func queueOrSend(_ create: Create, _ job: JobRecord, _ index: Int) async -> TaskRecord {
        guard let room = create.room else {
            sendInBackground(create, job)
            return job.tasks[index]
        }
        do {
            return try await enqueue(create, room, account: job.account, answering: Self.unasked)
        } catch {
            await giveUp(create, "could not be queued; nothing was charged")
            return (try? await store.task(create.id)) ?? job.tasks[index]
        }
    }
}

extension NewJob {
    fileprivate init(_ request: JobRequest, tenant: String, createdAt: Int64) {
        self.init(
            tenant: tenant, shape: request.shape, request: request.record, callbackURL: request.callbackURL?.text,
            callbackRef: request.callbackRef, fingerprint: request.fingerprint, idempotency: request.idempotency,
            account: request.account, runningBeside: request.maxJobs.map { $0 - 1 },
            createdAt: createdAt)
    }
}
