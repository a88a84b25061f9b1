internal import Base
internal import TaskStore

/// The bodies of queued creates, on disk until they are sent: one file per task, mode 0600, in a folder of their own.
///
/// Any thread may call any function except the initializer without blocking. When a write returns, it is on disk.
/// Cancelling the caller does not cancel a write: the caller still waits for it. The caller, which owns the task, must
/// not write and remove its file at the same time.
final class Spool: QueuedBodies {
    /// What was done with the files found at startup.
    struct Recovery: Equatable {
        /// The queued tasks that have a body.
        var kept: Set<TaskID> = []
        /// How many files were removed: half-written ones, and those of tasks that are no longer queued.
        var removed = 0
        /// Queued tasks without a body, which can never be sent.
        var missing: [TaskID] = []
    }

    /// Two, so that a large body doesn't hold up a small one.
    private static let threads = 2

    private let folder: SpoolFolder
    private let workers = SpoolWorkers(concurrency: Spool.threads)

    /// Opens the folder at `path`, and creates it (mode 0700) if it doesn't exist. It blocks on the disk. No other
    /// gateway can use the folder until the spool is released.
    /// - Throws: the reason why the gateway cannot use the folder, as a message for the operator.
    init(_ path: String) throws(SpoolError) { folder = try SpoolFolder(path) }

    /// Writes the body of a task. When it returns, the body survives a crash of the machine. Slices are written without
    /// being joined first.
    /// - Throws: `full`, `readOnly` or `unavailable`, in which case the file does not exist.
    func write(_ id: TaskID, _ body: [ByteSlice]) async throws(SpoolError) {
        try await workers.run { [folder] () throws(SpoolError) in try folder.write(id, body) }
    }

    /// Reads the body of a task, and verifies that it is what was written. Only one copy is in memory, in the returned
    /// block.
    /// - Parameters:
    ///   - length: how many bytes the task's record says it has.
    ///   - holding: released together with the block, such as the memory's lease.
    /// - Throws: `missing`, `damaged`, `readOnly` or `unavailable`.
    func read(
        _ id: TaskID, length: Int, holding: (any Sendable)? = nil
    ) async throws(SpoolError) -> ByteSlice {
        try await workers.run { [folder] () throws(SpoolError) in
            try folder.read(id, length: length, holding: holding)
        }
    }

    /// Removes the body of a task, if there is one.
    func remove(_ id: TaskID) async throws(SpoolError) {
        try await workers.run { [folder] () throws(SpoolError) in try folder.remove(id) }
    }

    /// Removes the body of a task in the background.
    func removeLater(_ id: TaskID) { workers.submit { [folder] in try? folder.remove(id) } }

    /// There is nothing to do: only a crash leaves bodies, and ``recover(queued:)`` has removed those.
    func sweep() {}

    /// The tasks that have a body, oldest first.
    func list() async throws(SpoolError) -> [TaskID] {
        try await workers.run { [folder] () throws(SpoolError) in try folder.list() }
    }

    /// Reconciles the folder with the records at startup, before anything is written: removes half-written files and
    /// those of tasks that are no longer queued.
    /// - Parameter queued: the tasks that the store says are queued.
    func recover(queued: Set<TaskID>) async throws(SpoolError) -> Recovery {
        try await workers.run { [folder] () throws(SpoolError) in
            var recovery = Recovery(removed: try folder.removeDrafts())
            for id in try folder.list() {
                if queued.contains(id) {
                    recovery.kept.insert(id)
                } else {
                    try folder.remove(id)
                    recovery.removed += 1
                }
            }
            recovery.missing = queued.subtracting(recovery.kept).sorted()
            return recovery
        }
    }
}
