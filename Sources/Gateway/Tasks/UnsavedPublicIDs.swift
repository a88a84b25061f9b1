internal import Base
internal import Foundation
internal import TaskStore

/// The tasks whose clients were told the gateway's id while the store could not be written to. They are kept in a file
/// beside the store, one per line, so that a crash does not lose them. The file is removed with the last of them.
///
/// The file is used only during such an outage and at startup. Any thread may call any function.
final class UnsavedPublicIDs: Sendable {
    private let path: String?
    private let state = Lock(State())

    private struct State {
        /// The tasks whose clients were told their ids, or are about to be.
        var announced: Set<TaskID> = []
        /// Those of them that are in the file.
        var inFile: Set<TaskID> = []
    }

    /// - Parameter path: the path of the file; nil: there is no file, and a crash loses the ids.
    init(path: String?) { self.path = path }

    /// Whether the client of a task was told the gateway's id, or is about to be.
    func contains(_ id: TaskID) -> Bool { state.withLock { $0.announced.contains(id) } }

    /// Adds a task whose client will be told the gateway's id, before the store is asked to record it.
    func announce(_ id: TaskID) { _ = state.withLock { $0.announced.insert(id) } }

    /// Adds a task whose client is told its id although the store could not record it.
    func insert(_ id: TaskID) {
        let isNew = state.withLock { state in
            state.announced.insert(id)
            return state.inFile.insert(id).inserted
        }
        guard isNew, let path else { return }
        let line = Data("\(id)\n".utf8)
        if let file = FileHandle(forWritingAtPath: path) {
            _ = try? file.seekToEnd()
            try? file.write(contentsOf: line)
            try? file.close()
        } else {
            _ = FileManager.default.createFile(atPath: path, contents: line, attributes: [.posixPermissions: 0o600])
        }
    }

    /// Removes a task whose public id the store has recorded, or that has ended.
    func remove(_ id: TaskID) {
        let isLast = state.withLock { state in
            state.announced.remove(id)
            return state.inFile.remove(id) != nil && state.inFile.isEmpty
        }
        if isLast { removeFile() }
    }

    /// Restores the ids that the previous process told clients, for the creates that it has left open.
    func recover(open: [TaskID]) {
        guard let path, let text = try? String(contentsOfFile: path, encoding: .utf8) else { return }
        let restored = Set(text.split(separator: "\n").compactMap { TaskID(String($0)) }).intersection(open)
        state.withLock { $0 = State(announced: restored, inFile: restored) }
        if restored.isEmpty { removeFile() }
    }

    private func removeFile() {
        if let path { try? FileManager.default.removeItem(atPath: path) }
    }
}
