internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// Makes single attempts to deliver: each is claimed, signed, sent and settled. It runs on one loop, which its
/// ``CallbackSender`` must use too.
final class DeliveryAttempts: Sendable {
    /// How an attempt ended.
    enum End: Equatable {
        case answered
        case unanswered
        /// It could not be claimed, or it was cancelled.
        case notSent
    }

    /// The pauses between tries to record an outcome in a failing store. After the last try, the delivery falls due
    /// again when its lease expires.
    private static let settlePauses: [Duration] = [.milliseconds(100), .seconds(1), .seconds(5)]

    private let loop: EventLoop
    private let store: any DeliveryStore
    private let sender: any CallbackSender
    private let secrets: any WebhookSecretSource
    private let observer: any GatewayObserver
    private let policy: CallbackDelivery.Policy
    private let clock: GuardedClock
    private let random: Lock<any RandomNumberGenerator & Sendable>
    private let counts = Lock(DeliveryFigures())

    /// - Parameters:
    ///   - secrets: provides the secrets that sign callbacks to a tenant.
    ///   - random: the source of the retries' jitter.
    init(
        loop: EventLoop, store: any DeliveryStore, sender: any CallbackSender, secrets: any WebhookSecretSource,
        observer: any GatewayObserver, policy: CallbackDelivery.Policy, clock: GuardedClock,
        random: any RandomNumberGenerator & Sendable
    ) {
        (self.loop, self.store, self.sender, self.secrets) = (loop, store, sender, secrets)
        (self.observer, self.policy, self.clock) = (observer, policy, clock)
        self.random = Lock(random)
    }

    /// The outcomes of the attempts so far.
    var figures: DeliveryFigures { counts.withLock { $0 } }

    /// Rejects a URL that can never be called.
    func check(_ url: HTTPURL) throws(GatewayError) { try CallbackAddress.check(url, sender) }

    /// Claims a delivery before it is sent.
    /// - Returns: false if something else has claimed or settled it.
    func claim(_ record: DeliveryRecord) async throws(StoreError) -> Bool {
        let lease = policy.lease.milliseconds
        return try await store.claim(delivery: record.id, attempts: record.attempts, lease: lease, at: clock.now)
    }

    /// Sends a claimed delivery, and settles it.
    func make(_ record: DeliveryRecord) async -> End {
        loop.assertCurrent()
        let start = MonotonicTime.now
        let result = await send(record)
        if case .failure(let failure) = result, failure.isCancelled { return .notSent }
        // The start is computed from the end, because the clock may have jumped during the attempt.
        let (number, end, duration) = (record.attempts + 1, clock.now, (MonotonicTime.now - start).milliseconds)
        let attempt = DeliveryAttempt(
            number: number, startedAt: end - duration, duration: duration,
            status: try? result.get().status, failure: result.failure?.reason)
        let outcome = random.withLock {
            policy.schedule.outcome(of: result, attempt: number, endedAt: end, wall: clock.wall, using: &$0)
        }
        await settle(record, attempt, outcome)
        return attempt.status == nil ? .unanswered : .answered
    }

    private func send(_ record: DeliveryRecord) async -> Result<CallbackReply, CallbackFailure> {
        let signatures: [WebhookSignature]
        do {
            signatures = try await self.signatures(of: record.tenant)
        } catch {
            observer.event(
                .error, "a callback cannot be signed", [("tenant", record.tenant), ("reason", "\(error)")])
            return .failure(CallbackFailure("the tenant's webhook secret cannot be read"))
        }
        let message = CallbackMessage(
            id: record.id, url: record.url, body: record.body, signatures: signatures, at: clock.wall,
            userAgent: policy.userAgent, timeout: policy.timeout)
        do { return .success(try await sender.send(message)) } catch { return .failure(error) }
    }

    /// A tenant's secrets, ready to sign. They are read for each attempt, so that a rotation in another process takes
    /// effect at once.
    private func signatures(of tenant: String) async throws -> [WebhookSignature] {
        let signatures = try await secrets.secrets(of: tenant, at: clock.believed).compactMap { WebhookSignature($0) }
        guard !signatures.isEmpty else { throw VaultError(purpose: .webhookSecret, record: tenant) }
        return signatures
    }

    private func settle(_ record: DeliveryRecord, _ attempt: DeliveryAttempt, _ outcome: DeliveryOutcome) async {
        count(record, attempt, outcome)
        for pause in Self.settlePauses.map(Optional.some) + [nil] {
            do {
                return try await store.settle(delivery: record.id, attempt, outcome)
            } catch {
                guard let pause, (try? await loop.sleep(for: pause)) != nil else {
                    return observer.event(
                        .error, "the outcome of a callback could not be recorded: it may be sent again",
                        [("delivery", record.id), ("reason", error.detail)])
                }
            }
        }
    }

    private func count(_ record: DeliveryRecord, _ attempt: DeliveryAttempt, _ outcome: DeliveryOutcome) {
        counts.withLock { counts in
            switch outcome {
            case .delivered: counts.delivered += 1
            case .retry: counts.retried += 1
            case .gaveUp: counts.gaveUp += 1
            }
        }
        if outcome == .delivered { return }
        // Logs neither the URL, nor the host that the reason's details may name, nor anything that the receiver said.
        let details: [(StaticString, String)] = [
            ("delivery", record.id), ("task", record.task.description), ("tenant", record.tenant),
            ("attempt", "\(attempt.number)"), ("status", attempt.status.map { "\($0)" } ?? "-"),
            ("reason", attempt.failure.map { String($0.prefix { $0 != ":" }) } ?? "-"),
        ]
        if outcome == .gaveUp {
            observer.event(.warning, "a callback failed for good", details)
        } else {
            observer.event(.debug, "a callback failed and will be retried", details)
        }
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 { nanoseconds / 1_000_000 }
}

extension Result {
    fileprivate var failure: Failure? { if case .failure(let failure) = self { failure } else { nil } }
}
