internal import Base
internal import TaskStore

/// What is known of one exchange, gathered while it is answered, for its line in the log and for metrics.
final class ExchangeNote: @unchecked Sendable {
    // @unchecked: written by the exchange's handler and the work that it waits for, read when the exchange is over; all
    // on the connection's loop.

    let requestID: String
    var route: Route?
    /// How its errors look.
    var shape = Shape.kling
    var tenant: String?
    var cause: Cause?
    /// The task that it is about, by the gateway's id: the first of a job.
    var task: TaskID?
    /// The account that was asked to make it.
    var account: String?
    /// The time spent waiting for Kling.
    private(set) var upstreamTime: Duration?

    /// Keeps a task's callbacks back until its create was answered.
    var hold: CallbackHold?

    /// The create's place among those that are remembered until their answers are read.
    var resend: ResendTicket?

    init(requestID: String) { self.requestID = requestID }

    /// Counts the time since `start` as Kling's.
    func waitedForKling(since start: MonotonicTime) {
        upstreamTime = (upstreamTime ?? .zero) + (MonotonicTime.now - start)
    }
}
