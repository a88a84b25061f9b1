internal import Base
internal import KlingAPI
internal import TaskStore

/// Why an account, or a model of it, is not used, and how far the probing is: a free list call first, then one create.
struct Disablement: Sendable, Hashable {
    private enum Stage: Sendable, Hashable {
        /// The list call is made at this time.
        case waiting(until: MonotonicTime)
        /// The list call was answered: the next create probes.
        case open
        /// This create probes.
        case probed(by: TaskID)
    }

    /// Kling's service code.
    let code: KlingCode
    /// Kling's words.
    let reason: String
    private var stage: Stage

    /// Disabled from now on.
    init(code: KlingCode, reason: String, probeAt: MonotonicTime) {
        self.code = code
        self.reason = reason
        stage = .waiting(until: probeAt)
    }

    /// The create that probes.
    var probe: TaskID? { if case .probed(let task) = stage { task } else { nil } }

    /// Whether a create may probe now.
    var isOpen: Bool { stage == .open }

    /// Whether it is time for the list call.
    func isDue(now: MonotonicTime) -> Bool {
        if case .waiting(let until) = stage { until <= now } else { false }
    }

    /// The list call is on its way; if nothing is heard of it, the next one is made at `moment`.
    mutating func list(nextProbe moment: MonotonicTime) { stage = .waiting(until: moment) }

    /// Kling has answered the list call.
    mutating func listed() { if case .waiting = stage { stage = .open } }

    /// `task` probes.
    mutating func begin(_ task: TaskID) { if isOpen { stage = .probed(by: task) } }

    /// What is left after the probing create: `nil` if it has shown that the account can be used.
    func after(_ event: CreateEvent, nextProbe moment: MonotonicTime) -> Disablement? {
        var rest = self
        switch event {
        case .accepted, .refusedForNow(.saturated): return nil
        case .refusedForGood, .refusedForNow(.model), .withdrawn, .ended, .missing: rest.stage = .open
        case .notSent, .ambiguous, .refusedForNow: rest.stage = .waiting(until: moment)
        }
        return rest
    }
}
