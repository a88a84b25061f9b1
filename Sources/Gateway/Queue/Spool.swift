internal import Base
internal import TaskStore

/// The bodies of queued creates, on the disk until they are sent: one file a task, mode 0600, in a folder of its own.
///
/// Every function but the initializer may be called from any thread and never blocks it; what a write returns from is
/// on the disk. A cancelled caller still waits: a write, once asked for, is done. One task's file is not written and
/// removed at the same time; that is up to the caller, who owns the task.
public final class Spool: Sendable {
    /// What became of the files that were there at the start.
    struct Recovery: Equatable {
        /// The queued tasks that have a body.
        var kept: Set<TaskID> = []
        /// How many files were removed: half written ones, and those of tasks that are queued no more.
        var removed = 0
        /// Queued tasks without a body, which can never be sent.
        var missing: [TaskID] = []
    }

    /// Two, so that a large body doesn't hold up a small one.
    private static let threads = 2

    private let folder: SpoolFolder
    private let workers = SpoolWorkers(width: Spool.threads)

    /// Opens the folder at `path`, and makes it (mode 0700) if it isn't there. Waits for the disk. No other gateway can use
    /// the folder until the spool is let go of.
    /// - Throws: what keeps the gateway from using the folder, in words for the operator.
    public init(_ path: String) throws(SpoolError) { folder = try SpoolFolder(path) }

    /// Keeps the body of a task; when it returns, the body survives a crash of the machine. Slices are written as they
    /// lie, without being put together first.
    /// - Throws: `full`, `readOnly` or `unavailable`; then there is no such file.
    func write(_ id: TaskID, _ body: [ByteSlice]) async throws(SpoolError) {
        try await workers.run { [folder] () throws(SpoolError) in try folder.write(id, body) }
    }

    /// Reads the body of a task, and proves that it is what was written. It is held once, in the block that is returned.
    /// - Parameters:
    ///   - length: how many bytes it has by its record.
    ///   - holding: is let go of together with the block, such as the memory's lease.
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

    /// Removes the body of a task when there is time; nobody waits for it.
    func removeLater(_ id: TaskID) { workers.submit { [folder] in try? folder.remove(id) } }

    /// The tasks whose bodies are there, oldest first.
    func list() async throws(SpoolError) -> [TaskID] {
        try await workers.run { [folder] () throws(SpoolError) in try folder.list() }
    }

    /// Brings folder and records together, at start-up before anything is written: removes half-written files and those
    /// of tasks that are queued no more.
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
