internal import Base
internal import KlingAPI
internal import TaskStore

/// Whether an account takes creates.
///
/// What a create's end makes of it. In ``cooling(_:)`` and ``disabled(_:)`` most creates were sent before the trouble and
/// say nothing new; one create, the probe, is sent to find out:
///
/// | phase                  | accepted  | 1303      | 1302, 5001, not sent | ambiguous       | refused for good, 1103 | withdrawn, ended, missing |
/// |------------------------|-----------|-----------|----------------------|-----------------|------------------------|---------------------------|
/// | healthy                | healthy   | saturated | cooling              | healthy         | healthy                | healthy                   |
/// | saturated              | saturated | saturated | cooling              | saturated       | saturated              | as it is, healthy, healthy |
/// | cooling, any other     | as it is  | as it is  | as it is             | as it is        | as it is               | as it is                  |
/// | cooling, the probe     | healthy   | saturated | cooling, longer      | cooling, longer | healthy                | next one probes           |
/// | disabled, any other    | as it is  | as it is  | as it is             | as it is        | as it is               | as it is                  |
/// | disabled, the probe    | healthy   | saturated | disabled             | disabled        | next one probes        | next one probes           |
///
/// An account fault (1000–1004, 1100–1102, 1304) disables from every phase. A saturated account is healthy again when one
/// of its tasks has ended or turned out to be missing, or its pause is over; its limit goes on holding it back. A cooling
/// account may be probed when its pause is over, a disabled one when a free list call was answered.
enum AccountPhase: Sendable, Hashable {
    /// It takes what its slots allow.
    case healthy
    /// It has just refused a task because too many run.
    case saturated(until: MonotonicTime)
    /// It is left alone for a moment, then probed by one create.
    case cooling(Cooling)
    /// It is not used until a probe succeeds.
    case disabled(Disablement)

    /// What a transition depends on besides phase and event.
    struct Context {
        let now: MonotonicTime
        let timing: AccountTiming
        /// 0 up to, but not including, 1.
        let random: Double
        /// How long the account is to be left alone if it turns saturated now.
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
                Cooling(event, context).map(Self.cooling) ?? self
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
        return Cooling(event, context).map(Self.cooling) ?? .healthy
    }

    private func after(_ event: CreateEvent, ofProbe cooling: Cooling, _ context: Context) -> AccountPhase {
        switch event {
        case .withdrawn, .ended, .missing: .cooling(cooling.unprobed)
        case .notSent, .ambiguous, .refusedForNow(.rateLimited), .refusedForNow(.unavailable):
            .cooling(cooling.longer(event, context))
        case .accepted, .refusedForGood, .refusedForNow: afterUse(event, context)
        }
    }
}

extension AccountPhase.Context {
    /// When an account that is disabled now is listed again.
    var nextProbe: MonotonicTime { now + timing.probeInterval }
}
