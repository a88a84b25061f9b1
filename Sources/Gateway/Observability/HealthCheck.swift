/// Something that must work for the gateway to be ready.
public struct HealthCheck: Sendable {
    /// What the probe's answer calls it: `store`, `keys`, `accepting`.
    public let name: String
    let run: @Sendable () async throws -> Void

    /// Names a check.
    /// - Parameter run: returns if all is well and throws if not. It is never run twice at the same time. Its error
    ///   reaches ``HealthChange`` and so the log, never the probe's answer.
    public init(name: String, _ run: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.run = run
    }
}

/// What a check came to.
public enum HealthOutcome: String, Sendable {
    case ok
    /// It said that something is wrong.
    case failed
    /// It did not say anything in time.
    case timedOut = "timed_out"
}

/// The outcome of every check, in the order in which they were given.
public struct HealthReport: Sendable {
    /// One outcome for each check.
    public let outcomes: [(name: String, outcome: HealthOutcome)]

    /// Whether all is well.
    public var isReady: Bool { outcomes.allSatisfy { $0.outcome == .ok } }
}

/// A check came to another outcome than the time before (at first: than ``HealthOutcome/ok``). For the log.
public struct HealthChange: Sendable {
    /// The check's name.
    public let name: String
    /// The new outcome.
    public let outcome: HealthOutcome
    /// What the check threw, if it failed.
    public let error: (any Error)?
}
