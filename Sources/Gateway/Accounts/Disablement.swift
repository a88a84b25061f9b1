internal import Base
internal import KlingAPI
internal import TaskStore

/// Why an account or one of its models is not used, and the stage of its probe: first a free list call, then a create.
struct Disablement: Sendable, Hashable {
    private enum Stage: Sendable, Hashable {
        /// The list call is due at this time.
        case waiting(until: MonotonicTime)
        /// The list call was answered: the next create is the probe.
        case open
        /// This create is the probe.
        case probed(by: TaskID)
    }

    /// Kling's service code.
    let code: KlingCode
    /// Kling's message.
    let reason: String
    private var stage: Stage

    /// Disables the account or model from now on.
    init(code: KlingCode, reason: String, probeAt: MonotonicTime) {
        self.code = code
        self.reason = reason
        stage = .waiting(until: probeAt)
    }

    /// The create that is the probe, if there is one.
    var probe: TaskID? { if case .probed(let task) = stage { task } else { nil } }

    /// Whether the next create is the probe.
    var isOpen: Bool { stage == .open }

    /// Whether the list call is due.
    func isDue(now: MonotonicTime) -> Bool {
        if case .waiting(let until) = stage { until <= now } else { false }
    }

    /// Records that the list call was made. Without an answer, the next one is due at `moment`.
    mutating func list(nextProbe moment: MonotonicTime) { stage = .waiting(until: moment) }

    /// Records that Kling has answered the list call.
    mutating func listed() { if case .waiting = stage { stage = .open } }

    /// Makes `task` the probe if ``isOpen``.
    mutating func begin(_ task: TaskID) { if isOpen { stage = .probed(by: task) } }

    /// Returns the state after the probe's outcome; `nil` if the account can be used again.
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
