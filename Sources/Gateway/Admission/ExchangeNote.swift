internal import Base
internal import TaskStore

/// What is known about one exchange, gathered while it is answered, for its line in the log and for metrics.
final class ExchangeNote: @unchecked Sendable {
    // @unchecked: written by the exchange's handler and the work that it waits for, and read when the exchange has
    // ended; all of that runs on the connection's loop.

    let requestID: String
    var route: Route?
    /// The format of its errors.
    var shape = Shape.kling
    var tenant: String?
    var cause: Cause?
    /// The gateway's id of the task that it is about; for a job, of its first task.
    var task: TaskID?
    /// The account that the create was sent to.
    var account: String?
    /// The time spent waiting for Kling.
    private(set) var upstreamTime: Duration?

    /// Holds back a task's callbacks until its create is answered.
    var hold: CallbackHold?

    /// The create's entry among those that are remembered until their answers are read.
    var resend: ResendTicket?

    init(requestID: String) { self.requestID = requestID }

    /// Adds the time since `start` to ``upstreamTime``.
    func waitedForKling(since start: MonotonicTime) {
        upstreamTime = (upstreamTime ?? .zero) + (MonotonicTime.now - start)
    }
}
