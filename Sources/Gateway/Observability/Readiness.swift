internal import Base
internal import EventLoop

/// Finds out whether the gateway can do its work, whenever a probe asks.
public final class Readiness: Sendable {
    private typealias Rounds = ReadinessRounds<CheckedContinuation<HealthReport, Never>>

    private let checks: [HealthCheck]
    private let patience: Duration
    private let onChange: @Sendable (HealthChange) -> Void
    private let rounds: Lock<Rounds>

    /// Creates a readiness probe from its checks.
    /// - Parameters:
    ///   - checks: all of them run at the same time.
    ///   - patience: how long a probe waits for them at most.
    ///   - onChange: called when a check's outcome changes, on the loop of a probe.
    public init(
        _ checks: [HealthCheck], patience: Duration = .seconds(2),
        onChange: @escaping @Sendable (HealthChange) -> Void = { _ in }
    ) {
        self.checks = checks
        self.patience = patience
        self.onChange = onChange
        rounds = Lock(Rounds(checks: checks.count))
    }

    /// Runs the checks, or waits for those that another probe has started. Call it from any task. It can't be
    /// cancelled, and takes no longer than `patience`.
    /// - Parameter loop: the loop to run checks on that have to be started.
    public func report() async -> HealthReport {
        await withCheckedContinuation { continuation in
            perform(rounds.withLock { $0.join(continuation) })
        }
    }

    private func perform(_ actions: [Rounds.Action]) {
        for action in actions {
            switch action {
            case .run(let check): run(check)
            case .armTimer(let round): wait(for: round)
            case .answer(let waiters, let outcomes):
                let report = HealthReport(outcomes: Array(zip(checks.map(\.name), outcomes)))
                for waiter in waiters { waiter.resume(returning: report) }
            case .changed(let check, let outcome, let error):
                onChange(HealthChange(name: checks[check].name, outcome: outcome, error: error))
            }
        }
    }

    private func run(_ check: Int) {
        EventLoop.current.spawn { [self] in
            var failure: (any Error)?
            do { try await checks[check].run() } catch { failure = error }
            perform(rounds.withLock { [failure] in $0.finished(check, failure) })
        }
    }

    private func wait(for round: Int) {
        EventLoop.current.spawn { [self] in
            // `sleep` throws only in a cancelled task, and this one is never cancelled.
            try? await EventLoop.current.sleep(for: patience)
            perform(rounds.withLock { $0.expired(round: round) })
        }
    }
}
