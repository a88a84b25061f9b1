/// Something that must work for the gateway to be ready.
public struct HealthCheck: Sendable {
    /// Its name in the probe's answer: `store`, `keys`, `accepting`.
    public let name: String
    let run: @Sendable () async throws -> Void

    /// Creates a check.
    /// - Parameter run: returns if all is well and throws if not. It is never run twice at the same time. Its error
    ///   goes to ``HealthChange`` and so to the log, never to the probe's answer.
    public init(name: String, _ run: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.run = run
    }
}

/// The outcome of a check.
public enum HealthOutcome: String, Sendable {
    case ok
    /// The check threw an error.
    case failed
    /// The check did not finish in time.
    case timedOut = "timed_out"
}

/// The outcome of every check, in the order in which they were given.
public struct HealthReport: Sendable {
    /// One outcome for each check.
    public let outcomes: [(name: String, outcome: HealthOutcome)]

    /// Whether all checks passed.
    public var isReady: Bool { outcomes.allSatisfy { $0.outcome == .ok } }
}

/// A change of a check's outcome from the last one (initially ``HealthOutcome/ok``). For the log.
public struct HealthChange: Sendable {
    /// The check's name.
    public let name: String
    /// The new outcome.
    public let outcome: HealthOutcome
    /// What the check threw, if it failed.
    public let error: (any Error)?
}
