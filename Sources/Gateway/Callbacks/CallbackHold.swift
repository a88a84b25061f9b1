internal import TaskStore

/// Holds back the callbacks of a create's tasks until both the HTTP exchange and the create's work have ended. The work
/// may continue after the client has left.
final class CallbackHold: @unchecked Sendable {
    // @unchecked: accessed only on the connection's loop, where both the exchange and the work end.
    private let tasks: [TaskID]
    private let courier: Courier?
    private let then: () -> Void
    private var parts = 2

    /// Starts holding back. Call it before the first write of the tasks.
    /// - Parameters:
    ///   - courier: holds the deliveries; nil: there are none to hold.
    ///   - then: called at the end, on the loop.
    init(_ tasks: [TaskID], _ courier: Courier?, then: @escaping () -> Void = {}) {
        self.tasks = tasks
        self.courier = courier
        self.then = then
        for task in tasks { courier?.hold(task) }
    }

    /// Records that the exchange or the work has ended. Call it once for each.
    func partDidEnd() {
        parts -= 1
        guard parts == 0 else { return }
        for task in tasks { courier?.release(task) }
        then()
    }
}
