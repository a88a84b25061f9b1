internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// Creates jobs: requests for several tasks, admitted as a whole or not at all.
///
/// The first task is sent before the others, and its outcome decides whether there is a job. Until then nothing is
/// charged for the others, and a refusal takes only one call.
final class TryOnJobs: Sendable {
    let ledger: TaskLedger
    let queries: TaskQueries
    let openCreates: OpenCreates
    private let creates: TryOnCreates
    private let placement: Placement
    private let sender: CreateSender
    private let attempts: CreateAttempts
    private let dispatchWait: Duration
    /// Jobs whose requests are being answered, by their first tasks.
    let answering = Lock<Set<TaskID>>([])

    /// How long a task of an admitted job waits for an account if it has no place in the queue.
    private static let patience = Duration.seconds(300)

    init(
        _ ledger: TaskLedger, _ queries: TaskQueries, _ openCreates: OpenCreates, _ creates: TryOnCreates,
        _ placement: Placement, _ sender: CreateSender, _ attempts: CreateAttempts, dispatchWait: Duration
    ) {
        (self.ledger, self.queries, self.openCreates) = (ledger, queries, openCreates)
        (self.creates, self.placement, self.sender, self.attempts) = (creates, placement, sender, attempts)
        self.dispatchWait = dispatchWait
    }

    /// Creates a job with as many tasks as requested.
    ///
    /// Returns when the first task is accepted, or when all of them are queued. The others are sent after that and
    /// never turn the job into an error: those that Kling refuses fail within the job. Once the intents are recorded,
    /// the work belongs to the gateway: it continues if the caller is cancelled.
    /// - Throws: what prevents the job from being admitted as a whole (slots, queue, the key's running tasks,
    ///   `maxJobs`, an unknown `account`); or the outcome of its first task, if that is not an acceptance. Then no
    ///   task was made, unless ``GatewayError/taskID`` names one whose outcome is open; ``GatewayError/job`` is its
    ///   job.
    func create(
        _ request: JobRequest, for principal: Principal, _ note: ExchangeNote
    ) async throws(GatewayError) -> JobRecord {
        if let callback = request.callbackURL ?? request.tryOn.callbackURL {
            try ledger.callbackDelivery?.check(callback)
        }
        var creates = try prepare(request, principal, note)
        try admit(creates, principal)
        let place: Place
        let job: JobRecord
        let hold: CallbackHold
        do {
            var begun: (Place, JobRecord, CallbackHold)?
            while begun == nil {
                let place = try await placement.reserve(for: creates[0])
                try reserveRoom(for: &creates, beside: place)
                begun = try await begin(creates, at: place, request, note).map { (place, $0.0, $0.1) }
            }
            guard let begun else { preconditionFailure("begun, or thrown") }
            (place, job, hold) = begun
        } catch {
            for create in creates { ledger.running.finish(create.id) }
            throw error
        }
        defer { withExtendedLifetime(hold) {} }
        return try await self.creates.finish(note) { [self, creates] () async throws(GatewayError) in
            try await carryOut(job, creates, at: place, request)
        }
    }

    // MARK: Admission

    private func prepare(
        _ request: JobRequest, _ principal: Principal, _ note: ExchangeNote
    ) throws(GatewayError) -> [Create] {
        precondition(JobRecord.sizes.contains(request.count), "a job has one to four tasks")
        if let name = request.account, ledger.accounts.named(name) == nil {
            throw GatewayError(
                .badParameter, "email names no account of this gateway. Send the name of one, or leave email out.",
                parameter: "email")
        }
        let excluding = ledger.accounts.others(than: request.account)
        return (0..<request.count).map { index in
            // Only the time spent on the first task counts toward the exchange.
            let note = index == 0 ? note : ExchangeNote(requestID: note.requestID)
            var create = creates.prepare(request.tryOn, principal, nil, note)
            create.excluding = excluding
            return create
        }
    }

    private func admit(_ creates: [Create], _ principal: Principal) throws(GatewayError) {
        guard let refusal = ledger.running.admit(creates.map(\.id), for: principal) else { return }
        let need = "This request needs \(creates.count) running tasks. \(refusal.owner.name) may have \(refusal.limit)."
        // Waiting would not help if there are too many of them for the limit.
        if creates.count > refusal.limit { throw GatewayError(.badParameter, need + " Ask for fewer pictures.") }
        throw GatewayError(.runningTasks, need + " Wait until some have ended, or ask for fewer pictures.")
    }

    /// Reserves places in the queue for all tasks but the first, in case no account has room when they are sent. If the
    /// queue has none, the tasks must fit into the limits of the accounts.
    private func reserveRoom(for creates: inout [Create], beside place: Place) throws(GatewayError) {
        if creates.count == 1 { return }
        let (model, excluding) = (creates[0].request.model, creates[0].excluding)
        if let rooms = ledger.queue?.reserve(creates.dropFirst().map(\.byteCount)) {
            for (index, room) in rooms.enumerated() { creates[index + 1].room = room }
        } else {
            let accounts = ledger.accounts
            if case .account = place, accounts.fits(creates.count - 1, model: model, excluding: excluding) { return }
            placement.withdraw(creates[0], from: place)
            throw accounts.refusalError(model: model, excluding: excluding)
        }
    }

    /// Records the intents.
    /// - Returns: the job, and the hold on its callbacks until the work has ended; nil if the place is an account whose last
    ///   slots other gateways have taken.
    private func begin(
        _ creates: [Create], at place: Place, _ request: JobRequest, _ note: ExchangeNote
    ) async throws(GatewayError) -> (JobRecord, CallbackHold)? {
        let isCalled = request.callbackURL != nil || creates[0].request.callbackURL != nil
        let first = creates[0].id
        answering.withLock { _ = $0.insert(first) }
        let hold = CallbackHold(creates.map(\.id), isCalled ? ledger.callbackDelivery : nil) { [self] in
            answering.withLock { _ = $0.remove(first) }
        }
        do {
            let job = try await ledger.shared.begin(note) { () throws(StoreError) in
                let createdAt = ledger.clock.now
                return try await ledger.store.jobs.begin(
                    newTasks(creates, at: place, request, createdAt),
                    job: NewJob(request, tenant: creates[0].principal.tenant, createdAt: createdAt))
            }
            note.keep(hold)
            return (job, hold)
        } catch {
            placement.withdraw(creates[0], from: place)
            cancelRooms(of: creates)
            self.creates.endIfRecorded(creates.map(\.id), after: error)
            if error.code == .accountFull, case .account(let destination) = place {
                ledger.accounts.noteFullElsewhere(destination.account.name)
                return nil
            }
            throw error.refusal(of: creates[0].principal)
        }
    }

    private func newTasks(
        _ creates: [Create], at place: Place, _ request: JobRequest, _ createdAt: Int64
    ) -> [NewTask] {
        creates.enumerated().map { index, create in
            var task = ledger.shared.newTask(create, at: index == 0 ? place : nil)
            task.createdAt = createdAt
            if index > 0 { task.externalTaskID = nil }
            if request.callbackURL != nil { task.callbackURL = nil }
            return task
        }
    }

    private func cancelRooms(of creates: [Create]) {
        for room in creates.compactMap(\.room) { ledger.queue?.cancel(room) }
    }

    // MARK: The first task

    private func carryOut(
        _ job: JobRecord, _ creates: [Create], at place: Place, _ request: JobRequest
    ) async throws(GatewayError) -> JobRecord {
        var job = job
        let (first, others) = (creates[0], creates.dropFirst())
        switch await sender.send(first, to: place) {
        case .accepted(let record, _):
            job.tasks[0] = record
            for other in others { sendInBackground(other, job) }
        case .toQueue(let reservation):
            do {
                job.tasks[0] = try await sender.enqueue(
                    first, reservation, account: job.account, answering: Self.noStoredAnswer)
            } catch {
                await giveUp(job, creates, "could not be queued")
                throw error
            }
            for index in creates.indices.dropFirst() {
                job.tasks[index] = await queueOrSend(creates[index], job, index)
            }
        case .refused(let status, let answer):
            let error = sender.refusal(first, status, answer)
            await giveUp(job, creates, error.message, answer: request.refusal(error))
            throw error
        case .nowhere(let error):
            await giveUp(job, creates, "no account took it")
            throw error
        case .open(let account, let timedOut):
            var error = await sender.leaveOpen(first, account, timedOut: timedOut)
            error.job = job.number
            // The client gets an error, so only the first task may be charged.
            cancelRooms(of: creates)
            for other in others { await ledger.giveUp(other.id, because: "not sent; nothing was charged") }
            throw error
        }
        return job
    }

    /// A task of a job has no `Idempotency-Key` of its own to answer.
    private static let noStoredAnswer: @Sendable (TaskRecord) -> StoredAnswer = { _ in
        preconditionFailure("a task of a job has no Idempotency-Key")
    }

    /// Ends a job that has no task at Kling.
    private func giveUp(_ job: JobRecord, _ creates: [Create], _ reason: String, answer: StoredAnswer? = nil) async {
        cancelRooms(of: creates)
        do {
            try await refuse(job, reason, answer)
        } catch {
            ledger.couldNotRecord("a refused job could not be recorded", job.tasks[0].id, error)
            ledger.background.start { [self] in
                while await ledger.background.sleep(for: .seconds(5)) {
                    do throws(StoreError) { return try await refuse(job, reason, answer) } catch { continue }
                }
            }
        }
    }

    private func refuse(_ job: JobRecord, _ reason: String, _ answer: StoredAnswer?) async throws(StoreError) {
        do {
            try await ledger.store.jobs.refuse(job: job.number, reason: reason, at: ledger.clock.now, answer: answer)
            for task in job.tasks { ledger.forget(task.id) }
        } catch  where error.code == .stale {
            // A callback has shown that Kling has one of the tasks: the others have failed within the job.
            for task in job.tasks { try await ledger.end(task.id, because: reason) }
        }
    }

    // MARK: The others

    /// Sends a task of an admitted job in the background.
    private func sendInBackground(_ create: Create, _ job: JobRecord) {
        attempts.inFlight.withLock { $0 += 1 }
        EventLoop.current.spawn { [self] in
            var create = create
            create.deadline = .now + (create.room == nil ? Self.patience : dispatchWait)
            await finish(create, await sender.send(create, to: nil), job)
            attempts.inFlight.withLock { $0 -= 1 }
        }
    }

    private func finish(_ create: Create, _ sent: SendOutcome, _ job: JobRecord) async {
        switch sent {
        case .toQueue(let reservation):
            do {
                _ = try await sender.enqueue(create, reservation, account: job.account, answering: Self.noStoredAnswer)
            } catch {
                await ledger.giveUp(create.id, because: "could not be queued; nothing was charged")
            }
            return
        case .accepted: break
        case .refused(let status, let answer):
            await ledger.giveUp(create.id, because: sender.refusal(create, status, answer).message)
        case .nowhere(let error): await ledger.giveUp(create.id, because: error.message)
        case .open(let account, _): openCreates.settleInBackground(create.id, at: account)
        }
        cancelRooms(of: [create])
    }

    /// Queues another task of a queued job. Without a place in the queue, it is sent in the background. If it cannot
    /// be queued, it is given up.
    private func queueOrSend(_ create: Create, _ job: JobRecord, _ index: Int) async -> TaskRecord {
        guard let room = create.room else {
            sendInBackground(create, job)
            return job.tasks[index]
        }
        do {
            return try await sender.enqueue(create, room, account: job.account, answering: Self.noStoredAnswer)
        } catch {
            await ledger.giveUp(create.id, because: "could not be queued; nothing was charged")
            return (try? await ledger.store.task(create.id)) ?? job.tasks[index]
        }
    }
}

extension NewJob {
    fileprivate init(_ request: JobRequest, tenant: String, createdAt: Int64) {
        self.init(
            tenant: tenant, shape: request.shape, request: request.record, callbackURL: request.callbackURL?.text,
            callbackRef: request.callbackRef, fingerprint: request.fingerprint, idempotency: request.idempotency,
            account: request.account, maximumOtherRunningJobs: request.maxJobs.map { $0 - 1 },
            createdAt: createdAt)
    }
}
