internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// One attempt: claim, sign, send, settle.
extension CallbackDelivery {
    /// How an attempt ended, for the plan.
    enum AttemptEnd: Equatable {
        case answered
        case unanswered
        /// It was not sent, because it could not be claimed, or it was cancelled.
        case notTaken
        case storeFailed(StoreError)
    }

    /// The pauses between tries to record an outcome in a failing store. After the last try, the delivery falls due
    /// again when its lease expires.
    private static let settlePauses: [Duration] = [.milliseconds(100), .seconds(1), .seconds(5)]

    func attempt(_ record: DeliveryRecord) async -> AttemptEnd {
        loop.assertCurrent()
        let now = clock.now
        do {
            let lease = policy.lease.milliseconds
            guard try await store.claim(delivery: record.id, attempts: record.attempts, lease: lease, at: now) else {
                return .notTaken
            }
            storeWorks()
        } catch {
            return .storeFailed(error)
        }
        let start = MonotonicTime.now
        let result = await send(record)
        if case .failure(let failure) = result, failure.isCancelled { return .notTaken }
        // The start is reckoned back from the end, because the clock may have jumped during the attempt.
        let (number, end, duration) = (record.attempts + 1, clock.now, (MonotonicTime.now - start).milliseconds)
        let attempt = DeliveryAttempt(
            number: number, startedAt: end - duration, duration: duration,
            status: try? result.get().status, failure: result.failure?.reason)
        let outcome = policy.schedule.outcome(
            of: result, attempt: number, endedAt: end, wall: clock.wall, using: &random)
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
