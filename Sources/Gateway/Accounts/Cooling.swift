internal import Base
internal import TaskStore

/// A pause in which an account gets no creates, and the create that probes it afterwards.
struct Cooling: Sendable, Hashable {
    /// Why the account is left alone.
    enum Cause: Sendable, Hashable {
        /// 1302.
        case rateLimited
        /// 5001, or an answer without Kling's envelope that means the same.
        case unavailable
        /// No connection.
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

    /// Why the account is left alone.
    let cause: Cause
    /// How long the pause is, before jitter.
    let pause: Duration
    /// When it may be probed.
    let until: MonotonicTime
    /// The create that probes it.
    private(set) var probe: TaskID?

    private init(_ cause: Cause, _ pause: Duration, _ context: AccountPhase.Context) {
        self.cause = cause
        self.pause = pause
        until = context.now + context.timing.jittered(pause, random: context.random)
    }

    /// The first pause, if `event` calls for one.
    init?(_ event: CreateEvent, _ context: AccountPhase.Context) {
        guard let cause = Cause(event) else { return nil }
        self.init(cause, context.timing.firstPause, context)
    }

    /// The pause after a probe that ended with `event`.
    func longer(_ event: CreateEvent, _ context: AccountPhase.Context) -> Cooling {
        Cooling(Cause(event) ?? cause, context.timing.longer(pause), context)
    }

    /// Whether a create may probe the account now.
    func isOpen(now: MonotonicTime) -> Bool { probe == nil && until <= now }

    /// A copy in which `task` probes the account.
    func probed(by task: TaskID) -> Cooling {
        var cooling = self
        cooling.probe = task
        return cooling
    }

    /// A copy after a probe that has shown nothing: the next create is the probe.
    var unprobed: Cooling {
        var cooling = self
        cooling.probe = nil
        return cooling
    }
}
