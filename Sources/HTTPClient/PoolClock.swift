internal import Base
internal import EventLoop

/// Keeps track of when libcurl wants to be called next.
///
/// libcurl moves its timeout with nearly every step, mostly to a later time. The loop's timer is only moved to an
/// earlier time: when it fires too soon, it is armed for the rest.
final class PoolClock {
    /// Whether libcurl wants to be called at once.
    var isDueNow = false
    private var deadline: MonotonicTime?
    private var armedFor: MonotonicTime?
    private let onDue: () -> Void
    private let loop: EventLoop
    private lazy var timer = Timer(loop: loop) { [unowned self] in fired() }

    /// Makes a clock without a timeout.
    /// - Parameter onDue: called by the timer when ``isDueNow`` is true.
    init(loop: EventLoop, onDue: @escaping () -> Void) {
        self.loop = loop
        self.onDue = onDue
    }

    /// Sets libcurl's new timeout; negative: none.
    func set(milliseconds: Int) {
        isDueNow = milliseconds == 0
        deadline = milliseconds > 0 ? .now + .milliseconds(milliseconds) : nil
    }

    /// Makes sure that the timer fires in time. Call it after libcurl has had its turn.
    func settle() {
        if isDueNow {
            armedFor = .now
            return timer.arm(after: .zero)
        }
        guard let deadline, armedFor.map({ deadline < $0 }) ?? true else { return }
        armedFor = deadline
        timer.arm(after: max(.zero, deadline - .now))
    }

    private func fired() {
        armedFor = nil
        if let deadline, deadline <= .now {
            self.deadline = nil
            isDueNow = true
        }
        if isDueNow { onDue() } else { settle() }
    }
}
