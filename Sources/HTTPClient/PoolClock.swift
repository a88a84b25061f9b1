internal import Base
internal import EventLoop

/// Calls the pool when libcurl wants to be called next.
final class PoolClock {
    private var deadline = PoolDeadline()
    private let onDue: () -> Void
    private let loop: EventLoop
    private lazy var timer = Timer(loop: loop) { [unowned self] in fired() }

    /// Makes a clock without a timeout.
    /// - Parameter onDue: called by the timer when ``isDueNow`` is true.
    init(loop: EventLoop, onDue: @escaping () -> Void) {
        self.loop = loop
        self.onDue = onDue
    }

    /// Whether libcurl wants to be called at once.
    var isDueNow: Bool {
        get { deadline.isDueNow }
        set { deadline.isDueNow = newValue }
    }

    /// Sets libcurl's new timeout; negative: none.
    func set(milliseconds: Int) { deadline.set(milliseconds: milliseconds, now: .now) }

    /// Makes sure that the timer fires in time. Call it after libcurl has had its turn.
    func settle() {
        if let delay = deadline.delayToArm(now: .now) { timer.arm(after: delay) }
    }

    private func fired() {
        deadline.timerFired(now: .now)
        if isDueNow { onDue() } else { settle() }
    }
}
