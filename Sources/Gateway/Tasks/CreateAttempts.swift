internal import Base
internal import KlingAPI
internal import TaskStore

/// The outcome of sending a task to an account. By then, everything is recorded.
enum Attempt: Sendable {
    /// Kling has the task, and the store says so.
    case accepted(TaskRecord, KlingAnswer)
    /// No account will take it.
    case refused(httpStatus: Int, KlingAnswer)
    /// This account does not take it now, for a reason on the account's side; another one may.
    case declined
    /// This account does not accept this request; another one may.
    case unsuitable(GatewayError)
    /// It is unknown whether Kling has the task.
    case open(timedOut: Bool)
}

/// Sends a create to one account, and records the outcome.
final class CreateAttempts: Sendable {
    private let ledger: TaskLedger
    private let caller: KlingCaller
    private let probes: AccountProbes
    /// How long a create waits for the store to confirm that its task belongs to this gateway.
    private static let ownershipPatience = Duration.seconds(2)

    /// How many creates are in flight, counted from the intent to the answer.
    let inFlight = Lock(0)

    init(_ ledger: TaskLedger, _ caller: KlingCaller, _ probes: AccountProbes) {
        (self.ledger, self.caller, self.probes) = (ledger, caller, probes)
    }

    /// Sends a task to the destination in its record. An account that answers that it has no such route has made
    /// nothing: if it may speak the other API, the record is changed to that API, which is then tried. The other API
    /// is also tried if the first one cannot express the request.
    /// - Parameters:
    ///   - usual: the body for the first destination, if nothing has to be made for it.
    ///   - body: makes the body for a destination.
    /// - Returns: the outcome, and the destination that it was last sent to.
    /// - Throws: why it cannot be sent now; nothing was made.
    func attempt(
        _ id: TaskID, at first: Destination, _ note: ExchangeNote? = nil, usual: [ByteSlice]? = nil,
        body: (Destination) async throws(GatewayError) -> [ByteSlice]
    ) async throws(GatewayError) -> (attempt: Attempt, to: Destination) {
        let parcel: [ByteSlice]
        do {
            if let usual { parcel = usual } else { parcel = try await body(first) }
        } catch {
            guard error.cause == .badParameter else { throw error }
            if let other = first.alternative,
                case .success(let attempt)? = try await alternative(id, other, note, body)
            {
                return (attempt, other)
            }
            return (unsuitable(error, id, first), first)
        }
        if !isKnownOwner, await !isOwner() {
            ledger.accounts.settled(id, on: first.account.name, .withdrawn)
            return (.declined, first)
        }
        let answer = await call(id, parcel, first, note)
        guard case .success(let denial) = answer, denial.deniesRoute, let other = first.alternative else {
            return (await judge(answer, id, first), first)
        }
        switch try await alternative(id, other, note, body) {
        case .success(let attempt): return (attempt, other)
        // Kling itself says that this route is gone: the other API is the right one, but cannot express the request.
        case .failure(let error) where denial.envelope != nil: return (unsuitable(error, id, first), first)
        // The answer from the first API counts.
        case .failure, nil: return (await judge(answer, id, first), first)
        }
    }

    /// Sends a task with an account's other API.
    /// - Returns: the outcome; nil if the account does not have that API either or the change cannot be recorded; the
    ///   failure if that API cannot express the request. Without an outcome, nothing was made.
    private func alternative(
        _ id: TaskID, _ other: Destination, _ note: ExchangeNote?,
        _ body: (Destination) async throws(GatewayError) -> [ByteSlice]
    ) async throws(GatewayError) -> Result<Attempt, GatewayError>? {
        let parcel: [ByteSlice]
        do {
            parcel = try await body(other)
        } catch {
            guard error.cause == .badParameter else { throw error }
            return .failure(error)
        }
        guard await redirect(id, to: other), await isOwner() else { return nil }
        let answer = await call(id, parcel, other, note)
        if case .success(let said) = answer {
            if said.deniesRoute { return nil }
            other.confirm()
        }
        return .success(await judge(answer, id, other))
    }

    private func unsuitable(_ error: GatewayError, _ id: TaskID, _ destination: Destination) -> Attempt {
        ledger.accounts.settled(id, on: destination.account.name, .withdrawn)
        return .unsuitable(error)
    }

    /// Sends a create again after its answer was lost, with the same API.
    /// - Parameter timeout: how long Kling has, if less than the account allows.
    func repeated(
        _ body: [ByteSlice], _ id: TaskID, at destination: Destination, timeout: Duration
    ) async -> Attempt {
        guard await isOwner() else { return .open(timedOut: false) }
        return await judge(await call(id, body, destination, nil, timeout: timeout), id, destination)
    }

    private func redirect(_ id: TaskID, to other: Destination) async -> Bool {
        do {
            try await ledger.store.assign(id, to: other.assignment, at: ledger.clock.now)
            return true
        } catch {
            ledger.couldNotRecord("a create could not be given to an account's other API", id, error)
            return false
        }
    }

    private func call(
        _ id: TaskID, _ body: [ByteSlice], _ destination: Destination, _ note: ExchangeNote?,
        timeout: Duration? = nil
    ) async -> Result<UpstreamAnswer, KlingFailure> {
        note?.account = destination.account.name
        note?.startWaiting()
        defer { note?.stopWaiting() }
        do {
            // A create with a note is a client's, and continues if the client leaves: nothing cancels its task.
            return .success(
                try await caller.create(destination, id, body, timeout: timeout, isCancellable: note == nil))
        } catch {
            return .failure(error)
        }
    }

    /// Whether ``isOwner()`` is true, as far as that is known without waiting.
    private var isKnownOwner: Bool { ledger.store.replicas?.isOwner ?? true }

    /// Whether no other gateway can have taken over this one's tasks. After a pause of the process, that is certain only
    /// when the store has answered again.
    private func isOwner() async -> Bool {
        guard let replicas = ledger.store.replicas else { return true }
        let deadline = MonotonicTime.now + Self.ownershipPatience
        while !replicas.isOwner {
            guard MonotonicTime.now < deadline, await ledger.background.sleep(for: .milliseconds(50)) else {
                return false
            }
        }
        return true
    }

    // MARK: Judgment

    @inline(__always) private func judge(
        _ answer: Result<UpstreamAnswer, KlingFailure>, _ id: TaskID, _ destination: Destination
    ) async -> Attempt {
        switch verdict(on: answer, id, destination) {
        case .accepted(let answer, let upstreamID):
            return await adopt(answer, upstreamID, id, destination.account)
        case .refused(let status, let answer): return .refused(httpStatus: status, answer)
        case .declined, .notSent: return .declined
        case .unsuitable(let error): return .unsuitable(error)
        case .open(let timedOut): return .open(timedOut: timedOut)
        }
    }

    /// What an answer says about a task. Records what it says about the account.
    private func verdict(
        on answer: Result<UpstreamAnswer, KlingFailure>, _ id: TaskID, _ destination: Destination
    ) -> CreateVerdict {
        let account = destination.account
        if case .success(let said) = answer, said.envelope?.isDuplicate == true {
            account.capabilities.learn(AccountTraits(hasUniqueIDs: true))
        }
        let verdict = CreateVerdict(answer)
        // Adopting a task settles its create.
        if verdict.event != .accepted { settle(id, on: account, verdict.event) }
        switch verdict {
        case .accepted: destination.confirm()
        case .declined(.saturated): ledger.watcher.limited(account.name)
        case .declined, .refused, .notSent, .unsuitable, .open: break
        }
        return verdict
    }

    private func settle(_ id: TaskID, on account: Account, _ event: CreateEvent) {
        report(ledger.accounts.settled(id, on: account.name, event))
    }

    /// Logs that an account has changed its state.
    func report(_ transition: AccountTransition?) {
        guard let account = transition?.to else { return }
        ledger.observer.event(
            account.state == .disabled ? .error : .warning, "an account has changed its state",
            [
                ("account", account.name), ("state", account.state.rawValue),
                ("code", account.disabledBy.map { String($0.rawValue) } ?? "-"), ("reason", account.reason ?? "-"),
            ])
    }

    // MARK: Acceptances

    /// Records that Kling has the task, before any client is told.
    func adopt(_ answer: KlingAnswer, _ upstreamID: String, _ id: TaskID, _ account: Account) async -> Attempt {
        settle(id, on: account, .accepted)
        guard let object = answer.task else { return .open(timedOut: false) }
        do {
            let record = try await ledger.accept(object, in: answer, upstreamID: upstreamID, id, by: account)
            probes.learnLookup(account, record)
            return .accepted(record, answer)
        } catch {
            // This log line may be the only record of Kling's id.
            ledger.observer.event(
                .error, "an accepted task could not be recorded",
                [
                    ("task", id.description), ("account", account.name), ("upstream_id", upstreamID),
                    ("reason", error.detail),
                ])
            if error.code != .stale, error.code != .notFound {
                acceptInBackground(object, in: answer, upstreamID, id, account)
            }
            return .open(timedOut: false)
        }
    }

    /// Records an acceptance as soon as the store is available again. A shutdown waits for it as for a create, until
    /// the end of the grace period.
    private func acceptInBackground(
        _ object: TaskObject, in answer: KlingAnswer, _ upstreamID: String, _ id: TaskID, _ account: Account
    ) {
        inFlight.withLock { $0 += 1 }
        let isStarted = ledger.background.start { [self] in
            await acceptWithRetry(object, in: answer, upstreamID, id, account)
            inFlight.withLock { $0 -= 1 }
        }
        if !isStarted { inFlight.withLock { $0 -= 1 } }
    }

    private func acceptWithRetry(
        _ object: TaskObject, in answer: KlingAnswer, _ upstreamID: String, _ id: TaskID, _ account: Account
    ) async {
        while await ledger.background.sleep(for: .seconds(1)) {
            do throws(StoreError) {
                _ = try await ledger.accept(object, in: answer, upstreamID: upstreamID, id, by: account)
                return
            } catch {
                if error.code == .stale || error.code == .notFound { return }
            }
        }
    }
}
