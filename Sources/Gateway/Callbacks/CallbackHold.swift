internal import TaskStore

/// Keeps the callbacks of a task back until its create was answered: until the exchange is over, and with it the work,
/// which may go on when the client has left.
final class CallbackHold: @unchecked Sendable {
    // @unchecked: touched on the connection's loop alone, where exchange and work end.
    private let task: TaskID
    private let courier: Courier
    private var parts = 2

    /// Begins to keep back. Call it before the first write of the task.
    init(_ task: TaskID, _ courier: Courier) {
        self.task = task
        self.courier = courier
        courier.hold(task)
    }

    /// The exchange, or the work, is over.
    func partIsOver() {
        parts -= 1
        if parts == 0 { courier.release(task) }
    }
}
