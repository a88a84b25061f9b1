import Foundation

/// Undoes changes of names, in a folder and below it.
struct NameCut {
    let folder: URL
    /// Where files are kept that have lost their names.
    let keep: URL

    private struct Found {
        let url: URL
        let inode: UInt64
    }

    /// Undoes the changes, the last one first.
    func undo(_ changes: ArraySlice<NameChange>) throws {
        for change in changes.reversed() {
            for entry in change.entries { try restore(entry, isFolder: change.isFolder) }
        }
    }

    /// Where the file of an inode number is in the watched folder, if it still has a name there.
    func path(of inode: UInt64) -> String? { Self.find(inode, below: folder)?.path }

    /// Makes a name stand again for what it stood for before.
    private func restore(_ entry: NameChange.Entry, isFolder: Bool) throws {
        let current = Self.inode(entry.path)
        if current == entry.old { return }
        if current != 0 {
            try check(rename(entry.path, keep.appending(path: UUID().uuidString).path), "rename", entry.path)
        }
        guard entry.old != 0 else { return }
        if let found = Self.find(entry.old, below: folder) ?? Self.find(entry.old, below: keep) {
            try check(link(found.path, entry.path), "link", entry.path)
        } else if isFolder {
            try check(mkdir(entry.path, 0o700), "mkdir", entry.path)
        } else {
            throw TestKitError("the file that \(entry.path) stood for is gone")
        }
    }

    private static func inode(_ path: String) -> UInt64 {
        var status = stat()
        return lstat(path, &status) == 0 ? UInt64(status.st_ino) : 0
    }

    private static func find(_ inode: UInt64, below folder: URL) -> URL? {
        let all = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        return all?.lazy.compactMap { $0 as? URL }.first { Self.inode($0.path) == inode }
    }

    private func check(_ result: Int32, _ what: String, _ path: String) throws {
        guard result == 0 else { throw TestKitError("\(what) \(path): errno \(errno)") }
    }
}
