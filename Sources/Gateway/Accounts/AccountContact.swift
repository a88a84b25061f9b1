internal import Base

/// Tracks whether an account was ever reached, and when to check it: once at the start, and then at growing intervals
/// until it is reached.
struct AccountContact: Sendable {
    private enum Schedule: Sendable {
        /// No check is needed.
        case none
        /// The next check is due at this time.
        case waiting(until: MonotonicTime)
        /// A check is in progress.
        case running
    }

    /// Whether the account has ever worked with this host and key, before a restart or since.
    private(set) var wasReached = false
    /// What the last check found wrong; `nil` before the first check has ended, and once the account is reached.
    private(set) var problem: AccountProblem?
    /// Whether a check has ended, or the account was reached, since the start.
    private(set) var isChecked = false
    private var schedule = Schedule.none
    private var pause: Duration

    init(_ timing: AccountTiming) { pause = timing.firstPause }

    /// Whether the account gets no creates because they would certainly fail: a check has found what is wrong, and the
    /// account was never reached. If the problem is in the path or the API, creates are blocked even if the account was
    /// reached before, because these settings may have changed since.
    var blocksCreates: Bool { problem.map { $0.isCertain && (!wasReached || $0.isInSettings) } ?? false }

    /// Whether creates can be tried: the account has worked, or its check was inconclusive.
    var canBeTried: Bool { !blocksCreates && (wasReached || problem?.kind == .noAnswer) }

    /// Whether checks continue, because the account has not been reached since the start.
    var isOpen: Bool { if case .none = schedule { false } else { true } }

    /// Makes the first check due now.
    mutating func begin(now: MonotonicTime) { schedule = .waiting(until: now) }

    /// Starts a check if one is due.
    /// - Returns: whether it was due. The caller must then end it with ``reached()`` or ``found(_:now:_:)``.
    mutating func take(now: MonotonicTime) -> Bool {
        guard case .waiting(let until) = schedule, until <= now else { return false }
        schedule = .running
        return true
    }

    /// Records that the account has answered as expected, and ends its checks.
    mutating func reached() {
        (wasReached, isChecked, problem, schedule) = (true, true, nil, .none)
    }

    /// Records what a check found wrong, and schedules the next one, unless the account was reached in the meantime.
    mutating func found(_ problem: AccountProblem, now: MonotonicTime, _ timing: AccountTiming) {
        guard isOpen else { return }
        (isChecked, self.problem) = (true, problem)
        schedule = .waiting(until: now + pause)
        pause = min(timing.probeInterval, pause * 2)
    }

    /// Restores what was known before a restart.
    mutating func restore(wasReached: Bool) { self.wasReached = wasReached }
}

/// Whether any account can be used for creates.
public enum AccountReachability: Sendable {
    /// At least one was reached, or may work because its check was inconclusive.
    case reached
    /// None was reached, but not all have been checked since the start.
    case unknown
    /// None was reached, and all have been checked.
    case none
}
