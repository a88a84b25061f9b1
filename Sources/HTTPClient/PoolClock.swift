internal import Base
internal import EventLoop

/// When libcurl wants to be called next.
///
/// libcurl moves its time-out with nearly every step, mostly to later. The loop's timer is moved only to earlier: when
/// it fires too soon it is armed for the rest.
final class PoolClock {
    /// Whether libcurl waits to be called at once.
    var isDueNow = false
    private var deadline: MonotonicTime?
    private var armedFor: MonotonicTime?
    private let onDue: () -> Void
    private let loop: EventLoop
    private lazy var timer = Timer(loop: loop) { [unowned self] in fired() }

    /// - Parameter onDue: called when ``isDueNow`` has become true by time.
    init(loop: EventLoop, onDue: @escaping () -> Void) {
        self.loop = loop
        self.onDue = onDue
    }

    /// Takes libcurl's new time-out: negative is none.
    func set(milliseconds: Int) {
        isDueNow = milliseconds == 0
        deadline = milliseconds > 0 ? .now + .milliseconds(milliseconds) : nil
    }

    /// Called when libcurl has been given its turn: makes sure that the timer fires in time.
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
