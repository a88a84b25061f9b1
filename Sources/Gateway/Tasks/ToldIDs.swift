internal import Base
internal import Foundation
internal import TaskStore

/// The tasks whose clients were told the gateway's id while the store could not be written to. They stand in a file beside
/// the store, so that a crash does not lose them: a line each, added as they are told, removed with the last of them.
///
/// It is touched only in such an outage, and at a start. From any thread.
final class ToldIDs: Sendable {
    private let path: String?
    private let ids = Lock<Set<TaskID>>([])

    /// - Parameter path: of the file; nil: there is none, and a crash forgets the ids.
    init(path: String?) { self.path = path }

    func contains(_ id: TaskID) -> Bool { ids.withLock { $0.contains(id) } }

    /// A client is told of a task.
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

    /// The store says all that clients know of a task, or they know nothing.
    func remove(_ id: TaskID) {
        let isLast = ids.withLock { ids in ids.remove(id) != nil && ids.isEmpty }
        if isLast { removeFile() }
    }

    /// Takes up what a server before this one has told of the creates that it has left open.
    func recover(open: [TaskID]) {
        guard let path, let text = try? String(contentsOfFile: path, encoding: .utf8) else { return }
        let told = Set(text.split(separator: "\n").compactMap { TaskID(String($0)) }).intersection(open)
        ids.withLock { $0 = told }
        if told.isEmpty { removeFile() }
    }

    private func removeFile() {
        if let path { try? FileManager.default.removeItem(atPath: path) }
    }
}
