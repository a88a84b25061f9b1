internal import Base
internal import KlingAPI
internal import TaskStore

/// The outcome of sending a create to one account after another.
enum SendOutcome: Sendable {
    /// Kling has the task, and the store says so.
    case accepted(TaskRecord, KlingAnswer)
    /// No account will take it. The answer is Kling's.
    case refused(httpStatus: Int, KlingAnswer)
    /// It is unknown whether the account has the task.
    case open(Account, timedOut: Bool)
    /// No account has room, but a place in the queue is reserved.
    case toQueue(TaskQueue.Reservation)
    /// There is no place for it anywhere.
    case nowhere(GatewayError)
}

/// Sends creates whose intents are recorded: to one account after another, until one has taken the task.
final class CreateSender: Sendable {
    private let ledger: TaskLedger
    private let placement: Placement
    private let attempts: CreateAttempts
    private let openCreates: OpenCreates
    private let bodies: UpstreamBodies

    init(
        _ ledger: TaskLedger, _ placement: Placement, _ attempts: CreateAttempts, _ openCreates: OpenCreates,
        _ bodies: UpstreamBodies
    ) {
        (self.ledger, self.placement, self.attempts) = (ledger, placement, attempts)
        (self.openCreates, self.bodies) = (openCreates, bodies)
    }

    /// Sends a task, unless its place is in the queue.
    func send(_ create: Create, to place: Place) async -> SendOutcome {
        switch place {
        case .account(let destination): await send(create, to: destination)
        case .queue(let reservation): .toQueue(reservation)
        }
    }

    /// Sends a task to one account after another, until the outcome is known or no account is left.
    /// - Parameter first: the destination that the intent names; nil: it names none.
    func send(_ create: Create, to first: Destination?) async -> SendOutcome {
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
                placement.withdraw(create.id, from: destination)
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

    /// Sends a create to one account. If the outcome is open, waits for it for as long as the client waits.
    private func attempt(
        _ create: Create, at destination: Destination
    ) async throws(GatewayError) -> (attempt: Attempt, to: Destination) {
        func body(_ to: Destination) async throws(GatewayError) -> [ByteSlice] {
            try await bodies.body(of: create, for: to)
        }
        // If this throws, so does `body`, for the attempt to judge.
        let usual = try? bodies.usualBody(of: create, for: destination)
        let sent = try await attempts.attempt(create.id, at: destination, create.note, usual: usual, body: body)
        guard case .open(let timedOut) = sent.attempt else { return sent }
        let settled = await openCreates.settle(create.id, at: sent.to, timedOut: timedOut) { try? await body(sent.to) }
        return (settled, sent.to)
    }

    /// Why no account accepts the request; nil if one may later.
    private func noAccount(for create: Create, _ refusal: GatewayError?) -> GatewayError? {
        guard let refusal, !ledger.accounts.canQueue(model: create.request.model, excluding: create.excluding) else {
            return nil
        }
        return refusal
    }

    /// Finds and records the next place for a task that no account has taken.
    /// - Parameter decliner: the account that its record names.
    private func nextPlace(for create: Create, after decliner: Account?) async -> Result<Place, GatewayError> {
        await result { () async throws(GatewayError) in
            if let destination = placement.slot(for: create), try await assign(create, to: destination) {
                return .account(destination)
            }
            // While it waits, its record names no account, so that after a crash no account has to be asked for it.
            if decliner != nil { _ = try await assign(create, to: nil) }
            while true {
                let place = try await placement.reserve(for: create)
                guard case .account(let destination) = place else { return place }
                if try await assign(create, to: destination) { return place }
            }
        }
    }

    /// - Returns: false if other gateways have taken the account's last slots.
    private func assign(_ create: Create, to destination: Destination?) async throws(GatewayError) -> Bool {
        do {
            try await ledger.shared.assign(create.id, to: destination)
            return true
        } catch {
            if let destination { placement.withdraw(create.id, from: destination) }
            if error.code == .accountFull { return false }
            throw GatewayError(error)
        }
    }

    // MARK: Refusals, open outcomes and the queue

    /// The error for a client whose create Kling has refused, with Kling's message.
    func refusal(_ create: Create, _ status: Int, _ answer: KlingAnswer) -> GatewayError {
        let message = Redaction.withheld(create.id, create.request.externalTaskID, from: answer.message)
        return GatewayError(status: status, answer: answer, message: message)
    }

    /// The error for a client that has waited long enough for an open create: it names the id for querying the task.
    func leaveOpen(_ create: Create, _ account: Account, timedOut: Bool) async -> GatewayError {
        let publicID = await ledger.publishID(of: create.id)
        openCreates.settleInBackground(create.id, at: account)
        let what = timedOut ? "Kling did not answer in time" : "Kling's answer was lost"
        var error = GatewayError(
            timedOut ? .upstreamTimedOut : .upstreamFailed,
            "\(what), and the task may have been made. Do not send it again: query it by error.task_id.")
        error.taskID = publicID
        return error
    }

    /// Queues a task: its client is told `submitted`, under the gateway's own id. If this cannot be recorded, the task
    /// is still an intent.
    /// - Parameters:
    ///   - account: the only account that may have it.
    ///   - answering: what the client is told, for its `Idempotency-Key`.
    func enqueue(
        _ create: Create, _ reservation: TaskQueue.Reservation, account: String? = nil,
        answering: @escaping @Sendable (TaskRecord) -> StoredAnswer
    ) async throws(GatewayError) -> TaskRecord {
        guard let queue = ledger.queue else { throw .internalFault }
        do {
            try await queue.keep(create.body, of: create.id)
            let record = try await ledger.store.queue(
                create.id, payload: create.byteCount, at: ledger.clock.now, answering: answering)
            queue.confirm(reservation, record, account: account)
            ledger.follow(record)
            return record
        } catch {
            queue.cancel(reservation)
            queue.discard(create.id)
            // The queues of other gateways have taken the room.
            if (error as? SpoolError)?.code == .noRoom {
                throw ledger.accounts.refusalError(model: create.request.model, excluding: create.excluding)
            }
            ledger.observer.event(
                .error, "a task could not be queued", [("task", create.id.description), ("reason", "\(error)")])
            throw GatewayError(
                .storeUnavailable, "The gateway cannot keep the request. Nothing was made; send it again.")
        }
    }
}
