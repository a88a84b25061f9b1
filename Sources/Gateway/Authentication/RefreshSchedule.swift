internal import Base

/// Decides who refreshes from the store, and when: one refresh at a time, and at least an interval between two starts,
/// however many callers ask.
///
/// One of the waiting callers leads: it waits for its turn, refreshes, and tells those that asked before the refresh
/// began. Callers that ask later need another refresh, because this one may not see what was written meanwhile.
struct RefreshSchedule<Waiter> {
    /// What a caller has to do.
    enum Ask: Equatable {
        /// Lead a refresh, after this delay.
        case lead(after: Duration)
        /// Wait to be told.
        case wait
    }

    /// What to do when a refresh has ended.
    struct End {
        /// The waiters to tell how it went.
        let passengers: [Waiter]
        /// The waiter that leads the next refresh, and its delay.
        let leader: (waiter: Waiter, after: Duration)?
    }

    private enum Phase: Equatable { case idle, boarding, looking }

    private let interval: Duration
    private var phase = Phase.idle
    private var lastStart: MonotonicTime?
    private var boarding: [Waiter] = []
    private var passengers: [Waiter] = []

    /// Keeps the starts of two refreshes `interval` apart.
    init(interval: Duration) { self.interval = interval }

    /// Asks for a refresh that begins after now. A caller that has to wait is then passed to ``board(_:)``.
    mutating func ask(now: MonotonicTime) -> Ask {
        guard phase == .idle else { return .wait }
        phase = .boarding
        return .lead(after: delay(now))
    }

    /// Adds a caller that waits for a refresh.
    mutating func board(_ waiter: Waiter) { boarding.append(waiter) }

    /// The leader's refresh begins.
    mutating func began(now: MonotonicTime) {
        phase = .looking
        lastStart = now
        passengers = boarding
        boarding = []
    }

    /// The leader's refresh has ended.
    mutating func ended(now: MonotonicTime) -> End {
        defer { passengers = [] }
        phase = boarding.isEmpty ? .idle : .boarding
        return End(passengers: passengers, leader: boarding.popLast().map { ($0, delay(now)) })
    }

    private func delay(_ now: MonotonicTime) -> Duration {
        guard let lastStart else { return .zero }
        return max(.zero, lastStart + interval - now)
    }
}
