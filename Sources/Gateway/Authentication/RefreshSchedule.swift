internal import Base

/// Decides who refreshes from the store, and when: one refresh at a time, and at least an interval between two starts,
/// however many callers ask.
///
/// One of the callers leads: it waits until the refresh is due, runs it, and tells its result to the callers that asked
/// before it began. Callers that ask later need another refresh, because this one may not see what was written since.
struct RefreshSchedule<Waiter> {
    /// What a caller has to do.
    enum Ask: Equatable {
        /// Lead a refresh, after this delay.
        case lead(after: Duration)
        /// Wait for another caller to report the result.
        case wait
    }

    /// What to do when a refresh has ended.
    struct End {
        /// The waiters to tell how it went.
        let served: [Waiter]
        /// The waiter that leads the next refresh, and its delay.
        let leader: (waiter: Waiter, after: Duration)?
    }

    private enum Phase: Equatable { case idle, waiting, refreshing }

    private let interval: Duration
    private var phase = Phase.idle
    private var lastStart: MonotonicTime?
    /// The callers that wait for the next refresh.
    private var waiters: [Waiter] = []
    /// The callers that wait for the refresh in progress.
    private var served: [Waiter] = []

    /// Keeps the starts of two refreshes `interval` apart.
    init(interval: Duration) { self.interval = interval }

    /// Asks for a refresh that begins after now. A caller that has to wait is then passed to ``add(_:)``.
    mutating func ask(now: MonotonicTime) -> Ask {
        guard phase == .idle else { return .wait }
        phase = .waiting
        return .lead(after: delay(now))
    }

    /// Adds a caller that waits for a refresh.
    mutating func add(_ waiter: Waiter) { waiters.append(waiter) }

    /// Records that the leader's refresh begins.
    mutating func began(now: MonotonicTime) {
        phase = .refreshing
        lastStart = now
        served = waiters
        waiters = []
    }

    /// Records that the leader's refresh has ended.
    mutating func ended(now: MonotonicTime) -> End {
        defer { served = [] }
        phase = waiters.isEmpty ? .idle : .waiting
        return End(served: served, leader: waiters.popLast().map { ($0, delay(now)) })
    }

    private func delay(_ now: MonotonicTime) -> Duration {
        guard let lastStart else { return .zero }
        return max(.zero, lastStart + interval - now)
    }
}
