internal import Base
internal import KlingAPI
internal import TaskStore

/// Whether an account takes creates.
///
/// A create's outcome changes the phase as in this table. In ``cooling(_:)`` and ``disabled(_:)``, only the outcome of
/// one create, the probe, counts: most others were sent before the trouble and say nothing new.
///
/// | event                  | healthy   | saturated | cooling, the probe | disabled, the probe |
/// |------------------------|-----------|-----------|--------------------|---------------------|
/// | accepted               | healthy   | saturated | healthy            | healthy             |
/// | 1303                   | saturated | saturated | saturated          | saturated           |
/// | 1302, 5001, not sent   | cooling   | cooling   | cooling, longer    | disabled            |
/// | ambiguous              | healthy   | saturated | cooling, longer    | disabled            |
/// | refused for good, 1103 | healthy   | saturated | healthy            | next create probes  |
/// | withdrawn              | healthy   | saturated | next create probes | next create probes  |
/// | ended, missing         | healthy   | healthy   | next create probes | next create probes  |
///
/// The third ambiguous create in a row counts as 5001: an account that loses every answer would otherwise get its share
/// of the creates forever.
///
/// An account fault (1000–1004, 1100–1102, 1304) disables the account in every phase. A saturated account becomes
/// healthy when one of its tasks has ended or turned out to be missing, or when its pause ends; its limit still
/// applies. A cooling account may be probed when its pause ends, a disabled one after it has answered a free list call.
enum AccountPhase: Sendable, Hashable {
    /// It takes as many creates as its slots allow.
    case healthy
    /// It has just rejected a task because too many are running.
    case saturated(until: MonotonicTime)
    /// It gets no creates for a moment, then one create as a probe.
    case cooling(Cooldown)
    /// It is not used until a probe succeeds.
    case disabled(Disablement)

    /// What a transition depends on besides phase and event.
    struct Context {
        let now: MonotonicTime
        let timing: AccountTiming
        /// At least 0 and less than 1.
        let random: Double
        /// How long the account is paused if it becomes saturated now.
        let saturation: Duration
    }

    /// The phase after `event` of a create.
    func next(_ event: CreateEvent, of task: TaskID, _ context: Context) -> AccountPhase {
        if case .refusedForNow(.account(let code, let reason)) = event {
            return .disabled(Disablement(code: code, reason: reason, probeAt: context.nextProbe))
        }
        return switch self {
        case .healthy: afterUse(event, context)
        case .saturated:
            if event == .ended || event == .missing {
                .healthy
            } else {
                Cooldown(event, context).map(Self.cooling) ?? self
            }
        case .cooling(let cooling): cooling.probe == task ? after(event, ofProbe: cooling, context) : self
        case .disabled(let disablement):
            if disablement.probe != task {
                self
            } else if let rest = disablement.after(event, nextProbe: context.nextProbe) {
                .disabled(rest)
            } else {
                afterUse(event, context)
            }
        }
    }

    private func afterUse(_ event: CreateEvent, _ context: Context) -> AccountPhase {
        if event == .refusedForNow(.saturated) { return .saturated(until: context.now + context.saturation) }
        return Cooldown(event, context).map(Self.cooling) ?? .healthy
    }

    private func after(_ event: CreateEvent, ofProbe cooling: Cooldown, _ context: Context) -> AccountPhase {
        switch event {
        case .withdrawn, .ended, .missing: .cooling(cooling.unprobed)
        case .notSent, .ambiguous, .refusedForNow(.rateLimited), .refusedForNow(.unavailable):
            .cooling(cooling.extended(after: event, context))
        case .accepted, .refusedForGood, .refusedForNow: afterUse(event, context)
        }
    }
}

extension AccountPhase.Context {
    /// When an account that is disabled now is probed by a list call.
    var nextProbe: MonotonicTime { now + timing.probeInterval }
}
