internal import TaskStore

/// Notes when a create is answered for good: when the exchange is over, and with it the work, which may go on when the
/// client has left. Until then the callbacks of its tasks are kept back.
final class CallbackHold: @unchecked Sendable {
    // @unchecked: touched on the connection's loop alone, where exchange and work end.
    private let tasks: [TaskID]
    private let courier: Courier?
    private let then: () -> Void
    private var parts = 2

    /// Begins to keep back. Call it before the first write of the tasks.
    /// - Parameters:
    ///   - courier: who keeps back; nil: nobody need.
    ///   - then: is called at the end, on the loop.
    init(_ tasks: [TaskID], _ courier: Courier?, then: @escaping () -> Void = {}) {
        self.tasks = tasks
        self.courier = courier
        self.then = then
        for task in tasks { courier?.hold(task) }
    }

    /// The exchange, or the work, is over.
    func partIsOver() {
        parts -= 1
        guard parts == 0 else { return }
        for task in tasks { courier?.release(task) }
        then()
    }
}
