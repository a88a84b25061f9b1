internal import Base

/// Who looks at the store, and when: one look at a time, two starts at least an interval apart, whoever asks.
///
/// One of those who wait leads: it waits for its turn, looks, and tells those who asked before the look began. Whoever
/// asks after that needs a look of its own, because this one may not see what was written meanwhile.
struct LookSchedule<Waiter> {
    /// What somebody who asks is to do.
    enum Ask: Equatable {
        /// Lead a look, after so much time.
        case lead(after: Duration)
        /// Wait to be told.
        case wait
    }

    /// What is to be done when a look is over.
    struct End {
        /// Who is told how it went.
        let passengers: [Waiter]
        /// Who leads the next look, and after how much time.
        let leader: (waiter: Waiter, after: Duration)?
    }

    private enum Phase: Equatable { case idle, boarding, looking }

    private let interval: Duration
    private var phase = Phase.idle
    private var lastStart: MonotonicTime?
    private var boarding: [Waiter] = []
    private var passengers: [Waiter] = []

    /// Keeps the starts of two looks `interval` apart.
    init(interval: Duration) { self.interval = interval }

    /// Somebody wants a look that begins after now. One who is to wait is handed in with ``board(_:)``.
    mutating func ask(now: MonotonicTime) -> Ask {
        guard phase == .idle else { return .wait }
        phase = .boarding
        return .lead(after: delay(now))
    }

    /// Somebody waits for a look.
    mutating func board(_ waiter: Waiter) { boarding.append(waiter) }

    /// The leader begins to look.
    mutating func began(now: MonotonicTime) {
        phase = .looking
        lastStart = now
        passengers = boarding
        boarding = []
    }

    /// The leader's look is over.
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
