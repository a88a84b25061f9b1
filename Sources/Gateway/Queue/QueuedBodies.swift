internal import Base
internal import TaskStore

/// The bodies of queued creates, until they are sent. Any thread may call any function, and none blocks it.
protocol QueuedBodies: Sendable {
    /// Writes the body of a task, whose intent is recorded. When it returns, the body survives a crash of the machine.
    /// - Throws: `noRoom`, `full`, `readOnly` or `unavailable`, in which case there is no body.
    func write(_ id: TaskID, _ body: [ByteSlice]) async throws(SpoolError)

    /// Reads the body of a task, and verifies that it is what was written. Only one copy is in memory, in the returned
    /// block.
    /// - Parameters:
    ///   - length: how many bytes the task's record says it has.
    ///   - holding: released together with the block, such as the memory's lease.
    /// - Throws: `missing`, `damaged`, `readOnly` or `unavailable`.
    func read(_ id: TaskID, length: Int, holding: (any Sendable)?) async throws(SpoolError) -> ByteSlice

    /// The tasks that have a body, oldest first.
    func list() async throws(SpoolError) -> [TaskID]

    /// Removes the body of a task in the background.
    func removeLater(_ id: TaskID)

    /// Removes what no task needs, and finds the tasks whose body is gone. Call it before anything is written.
    /// - Parameter queued: this gateway's tasks that the store says are queued.
    func recover(queued: Set<TaskID>) async throws(SpoolError) -> Spool.Recovery

    /// Removes the bodies that no task needs because a gateway has ended before it removed them.
    func sweep() async
}
