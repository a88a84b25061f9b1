internal import Base

/// Decides when a timer must be armed so that libcurl is called in time.
///
/// libcurl moves its timeout with nearly every step, mostly to a later time. The timer is only moved to an earlier
/// time: when it fires too soon, it is armed for the rest.
struct PoolDeadline {
    /// Whether libcurl wants to be called at once.
    var isDueNow = false
    private var deadline: MonotonicTime?
    private var armedFor: MonotonicTime?

    /// Sets libcurl's new timeout; negative: none.
    mutating func set(milliseconds: Int, now: @autoclosure () -> MonotonicTime) {
        isDueNow = milliseconds == 0
        deadline = milliseconds > 0 ? now() + .milliseconds(milliseconds) : nil
    }

    /// Returns after how long the timer must be armed to fire; nil if it fires early enough as it is.
    mutating func delayToArm(now: @autoclosure () -> MonotonicTime) -> Duration? {
        if isDueNow {
            armedFor = now()
            return .zero
        }
        guard let deadline, armedFor.map({ deadline < $0 }) ?? true else { return nil }
        armedFor = deadline
        return max(.zero, deadline - now())
    }

    /// Notes that the timer has fired, and so is not armed.
    mutating func timerFired(now: MonotonicTime) {
        armedFor = nil
        guard let deadline, deadline <= now else { return }
        self.deadline = nil
        isDueNow = true
    }
}
