internal import Base
internal import EventLoop

/// One timer for all deadlines of a pool. Loop-confined.
///
/// It is only moved to an earlier time. Most deadlines are later than the one that it is armed for and cost a
/// comparison; when it fires, its owner says what the next deadline is.
final class DeadlineTimer {
    private let loop: EventLoop
    private let onDue: (MonotonicTime) -> MonotonicTime?
    private var armedFor: MonotonicTime?
    private lazy var timer = Timer(loop: loop) { [unowned self] in fired() }

    /// - Parameter onDue: ends what is due at the given time, and returns the next deadline.
    init(loop: EventLoop, onDue: @escaping (MonotonicTime) -> MonotonicTime?) {
        (self.loop, self.onDue) = (loop, onDue)
    }

    /// Makes sure that the timer fires at `deadline` or before.
    func require(_ deadline: MonotonicTime) {
        if let armedFor, armedFor <= deadline { return }
        armedFor = deadline
        // libevent may fire early: no shorter than this, so that it does not fire over and over.
        timer.arm(after: max(.milliseconds(1), deadline - .now))
    }

    private func fired() {
        armedFor = nil
        if let next = onDue(.now) { require(next) }
    }
}
