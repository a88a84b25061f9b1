internal import Base
internal import TaskStore

/// The tasks whose clients were told the gateway's id while the store could not be written to. They are kept in a file
/// beside the store, one per line, so that neither a crash nor a power cut loses them. The file is removed with the
/// last of them.
///
/// The file is used only during such an outage and at startup. Any thread may call any function.
final class UnsavedPublicIDs: Sendable {
    private let file: DurableLines?
    /// Writes the file, one change after the other.
    private let disk = SpoolWorkers(concurrency: 1)
    private let state = Lock(State())

    private struct State {
        /// The tasks whose clients were told their ids, or are about to be.
        var announced: Set<TaskID> = []
        /// Those of them that are in the file, or are being written to it.
        var inFile: Set<TaskID> = []
    }

    /// - Parameter path: the path of the file; nil: there is no file, and a crash loses the ids.
    init(path: String?) { file = path.map(DurableLines.init) }

    /// Whether the client of a task was told the gateway's id, or is about to be.
    func contains(_ id: TaskID) -> Bool { state.withLock { $0.announced.contains(id) } }

    /// Adds a task whose client will be told the gateway's id, before the store is asked to record it.
    func announce(_ id: TaskID) { _ = state.withLock { $0.announced.insert(id) } }

    /// Adds a task whose client is told its id although the store could not record it. When this returns, the id is on
    /// disk, if the disk can be written to.
    func insert(_ id: TaskID) async {
        let isNew = state.withLock { state in
            state.announced.insert(id)
            return state.inFile.insert(id).inserted
        }
        guard let file else { return }
        // An id that is being written for another request is on disk when the work before this is done.
        try? await disk.run { () throws(SpoolError) in if isNew { try file.append(id.description) } }
    }

    /// Removes a task whose public id the store has recorded, or that has ended.
    func remove(_ id: TaskID) {
        let isLast = state.withLock { state in
            guard !state.announced.isEmpty, state.announced.remove(id) != nil else { return false }
            return state.inFile.remove(id) != nil && state.inFile.isEmpty
        }
        if isLast { removeFile() }
    }

    /// Restores the ids that the previous process told clients, for the creates that it has left open.
    func recover(open: [TaskID]) {
        guard let lines = file?.read() else { return }
        let restored = Set(lines.compactMap { TaskID($0) }).intersection(open)
        state.withLock { $0 = State(announced: restored, inFile: restored) }
        if restored.isEmpty { removeFile() }
    }

    /// Waits until the file is what the calls before have made it.
    func settle() async { try? await disk.run { () throws(SpoolError) in } }

    /// Removes the file, unless another id is in it by then. A crash may bring it back, with ids that are known.
    private func removeFile() {
        guard let file else { return }
        disk.submit { [self] in
            if state.withLock({ $0.inFile.isEmpty }) { file.remove() }
        }
    }
}
