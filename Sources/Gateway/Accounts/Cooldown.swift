internal import Base
internal import TaskStore

/// A pause during which an account gets no creates, and the create that probes the account afterwards.
struct Cooldown: Sendable, Hashable {
    /// Why an account gets no creates.
    enum Cause: Sendable, Hashable {
        /// Kling answered with the code 1302.
        case rateLimited
        /// Kling answered with the code 5001, or without an envelope but with the same meaning.
        case unavailable
        /// The gateway could not connect to the account's host.
        case unreachable

        fileprivate init?(_ event: CreateEvent) {
            switch event {
            case .refusedForNow(.rateLimited): self = .rateLimited
            case .refusedForNow(.unavailable): self = .unavailable
            case .notSent: self = .unreachable
            default: return nil
            }
        }
    }

    /// Why the account gets no creates.
    let cause: Cause
    /// How long the pause is, before jitter.
    let pause: Duration
    /// When the account may be probed.
    let until: MonotonicTime
    /// The create that probes the account; `nil` until one is chosen.
    private(set) var probe: TaskID?

    private init(_ cause: Cause, _ pause: Duration, _ context: AccountPhase.Context) {
        self.cause = cause
        self.pause = pause
        until = context.now + context.timing.jittered(pause, random: context.random)
    }

    /// Starts the first pause; `nil` if `event` does not call for one.
    init?(_ event: CreateEvent, _ context: AccountPhase.Context) {
        guard let cause = Cause(event) else { return nil }
        self.init(cause, context.timing.firstPause, context)
    }

    /// The next, longer pause, after a probe that failed with `event`.
    func extended(after event: CreateEvent, _ context: AccountPhase.Context) -> Cooldown {
        Cooldown(Cause(event) ?? cause, context.timing.longer(pause), context)
    }

    /// Whether the next create may probe the account.
    func awaitsProbe(now: MonotonicTime) -> Bool { probe == nil && until <= now }

    /// A copy in which `task` probes the account.
    func probed(by task: TaskID) -> Cooldown {
        var copy = self
        copy.probe = task
        return copy
    }

    /// A copy after an inconclusive probe: the next create is the new probe.
    var unprobed: Cooldown {
        var copy = self
        copy.probe = nil
        return copy
    }
}
