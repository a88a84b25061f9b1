internal import Base
internal import EventLoop

/// One timer for all deadlines of a connection. It is armed again only if it fires too early, or would fire too late.
struct PhaseTimer {
    private var timer: Timer?
    /// When the timer fires.
    private(set) var due: MonotonicTime?
    /// When the current phase times out; nil for never.
    private(set) var deadline: MonotonicTime?

    private var lingering: LingerDeadline?

    mutating func start(_ timer: Timer) { self.timer = timer }

    mutating func stop() { timer = nil }

    /// Sets when the current phase times out; `nil` for never.
    mutating func set(_ deadline: MonotonicTime?) {
        self.deadline = deadline
        guard let deadline, due.map({ deadline < $0 }) ?? true else { return }
        arm(for: deadline)
    }

    /// Begins the phase in which what the client still sends is discarded.
    mutating func linger(_ deadline: LingerDeadline) { lingering = deadline }

    /// Sets when that phase times out, after `count` bytes were discarded.
    mutating func received(_ count: Int) { set(lingering?.received(count, at: .now)) }

    /// Handles the timer's event.
    /// - Returns: whether the phase has timed out.
    mutating func fired(at now: MonotonicTime = .now) -> Bool {
        due = nil
        guard let deadline else { return false }
        if now < deadline {
            arm(for: deadline)
            return false
        }
        self.deadline = nil
        return true
    }

    private mutating func arm(for time: MonotonicTime) {
        due = time
        timer?.arm(after: time - .now)
    }
}
