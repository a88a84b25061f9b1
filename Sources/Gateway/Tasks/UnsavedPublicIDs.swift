internal import Base
internal import Foundation
internal import TaskStore

/// The tasks whose clients were told the gateway's id while the store could not be written to. They are kept in a file
/// beside the store, one per line, so that a crash does not lose them. The file is removed with the last of them.
///
/// The file is used only during such an outage and at startup. Any thread may call any function.
final class UnsavedPublicIDs: Sendable {
    private let path: String?
    private let ids = Lock<Set<TaskID>>([])

    /// - Parameter path: the path of the file; nil: there is no file, and a crash loses the ids.
    init(path: String?) { self.path = path }

    func contains(_ id: TaskID) -> Bool { ids.withLock { $0.contains(id) } }

    /// Adds a task whose client is told its id.
    func insert(_ id: TaskID) {
        guard ids.withLock({ $0.insert(id).inserted }), let path else { return }
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
        let isLast = ids.withLock { ids in ids.remove(id) != nil && ids.isEmpty }
        if isLast { removeFile() }
    }

    /// Restores the ids that the previous process told clients, for the creates that it has left open.
    func recover(open: [TaskID]) {
        guard let path, let text = try? String(contentsOfFile: path, encoding: .utf8) else { return }
        let restored = Set(text.split(separator: "\n").compactMap { TaskID(String($0)) }).intersection(open)
        ids.withLock { $0 = restored }
        if restored.isEmpty { removeFile() }
    }

    private func removeFile() {
        if let path { try? FileManager.default.removeItem(atPath: path) }
    }
}
