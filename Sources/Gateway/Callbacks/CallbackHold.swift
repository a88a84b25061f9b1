internal import TaskStore

/// Holds back the callbacks of a create's tasks for as long as anything refers to it: the HTTP exchange, and the
/// create's work, which may continue after the client has left.
final class CallbackHold: Sendable {
    private let tasks: [TaskID]
    private let delivery: CallbackDelivery?
    private let then: @Sendable () -> Void

    /// Starts holding callbacks back. Call it before the tasks are first written to the store.
    /// - Parameters:
    ///   - delivery: sends the callbacks; nil: none are sent, so there are none to hold.
    ///   - then: called at the end, on the thread that drops the last reference.
    init(_ tasks: [TaskID], _ delivery: CallbackDelivery?, then: @escaping @Sendable () -> Void = {}) {
        self.tasks = tasks
        self.delivery = delivery
        self.then = then
        for task in tasks { delivery?.hold(task) }
    }

    deinit {
        for task in tasks { delivery?.release(task) }
        then()
    }
}
