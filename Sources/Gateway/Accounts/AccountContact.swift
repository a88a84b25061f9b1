internal import Base

/// Whether an account was ever reached with its settings, and the checks that find it out: one at the start, and more
/// with growing pauses until the account is reached.
struct AccountContact: Sendable {
    private enum Schedule: Sendable {
        /// No check is wanted.
        case none
        /// The next check is due at this time.
        case waiting(until: MonotonicTime)
        /// A check runs.
        case running
    }

    /// Whether the account has ever worked with this host and key, before a restart or since.
    private(set) var wasReached = false
    /// What the last check has found.
    private(set) var trouble: AccountTrouble?
    /// Whether a check has ended.
    private(set) var isChecked = false
    private var schedule = Schedule.none
    private var pause: Duration

    init(_ timing: AccountTiming) { pause = timing.firstPause }

    /// Whether the account gets no creates, because they would fail: it is known what is wrong, and the account has
    /// never been reached. That it was does not count for settings that may have changed since.
    var blocksCreates: Bool { trouble.map { $0.isCertain && (!wasReached || $0.isInSettings) } ?? false }

    /// Whether creates can be tried: the account has worked, or nothing certain is known against it.
    var mayWork: Bool { !blocksCreates && (wasReached || trouble?.kind == .noAnswer) }

    /// Whether the account has still to be reached since the start.
    var isOpen: Bool { if case .none = schedule { false } else { true } }

    /// Wants the account to be checked.
    mutating func begin(now: MonotonicTime) { schedule = .waiting(until: now) }

    /// Returns whether a check is due, which ``found(_:now:_:)`` must end.
    mutating func take(now: MonotonicTime) -> Bool {
        guard case .waiting(let until) = schedule, until <= now else { return false }
        schedule = .running
        return true
    }

    /// Records that the account has answered as it should.
    mutating func reached() {
        (wasReached, isChecked, trouble, schedule) = (true, true, nil, .none)
    }

    /// Records what a check has found, unless the account was reached in the meantime.
    mutating func found(_ trouble: AccountTrouble, now: MonotonicTime, _ timing: AccountTiming) {
        guard isOpen else { return }
        (isChecked, self.trouble) = (true, trouble)
        schedule = .waiting(until: now + pause)
        pause = min(timing.probeInterval, pause * 2)
    }

    /// Restores what was known before a restart.
    mutating func restore(wasReached: Bool) { self.wasReached = wasReached }
}

/// Whether any account is of use to creates.
public enum AccountContacts: Sendable {
    /// At least one was reached, or may work although its answer to a check said nothing.
    case reached
    /// None was, but not all have been tried since the start.
    case unknown
    /// None was, and all have been tried.
    case none
}
