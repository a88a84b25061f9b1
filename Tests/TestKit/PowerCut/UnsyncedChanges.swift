/// The changes that were not synced, which a power cut may lose.
struct UnsyncedChanges: Sendable {
    /// What happened to one file since its last sync.
    struct File: Sendable {
        /// Its changes, in order.
        var changes: [FileChange] = []
        /// Ranges of bytes that were synced without the rest of the file. Their changes before the position `through`
        /// of the log are safe.
        var safe: [(range: Range<Int>, through: Int)] = []
    }

    /// The files by their inode numbers.
    private(set) var files: [UInt64: File] = [:]
    /// The changes of names, in order.
    private(set) var names: [NameChange] = []

    init(_ log: UndoLog) {
        // Up to where the names in each folder are safe.
        var folders: [String: Int] = [:]
        for record in log.records {
            switch record {
            case .change(let file, let change): files[file, default: File()].changes.append(change)
            case .sync(let file, nil, let through): settle(file, through)
            case .sync(let file, let range?, let through):
                files[file, default: File()].safe.append((range, through))
            case .names(let change): names.append(change)
            case .folderSync(let path, let through): folders[path] = max(folders[path] ?? 0, through)
            case .fullSync(let through):
                for file in files.keys { settle(file, through) }
                names.removeAll { $0.position < through }
            }
        }
        names.removeAll { change in
            change.entries.allSatisfy { change.position < folders[$0.folder] ?? 0 }
        }
    }

    private mutating func settle(_ file: UInt64, _ through: Int) {
        guard var changed = files[file] else { return }
        changed.changes.removeAll { $0.position < through }
        changed.safe.removeAll { $0.through <= through }
        files[file] = changed.changes.isEmpty ? nil : changed
    }
}

extension UnsyncedChanges.File {
    private static let page = 4096

    /// Whether a sync of some pages has made a change of a sector safe.
    func isSafe(_ change: FileChange, _ sector: Range<Int>) -> Bool {
        safe.contains { safe in
            let end = (safe.range.upperBound + Self.page - 1) / Self.page * Self.page
            let pages = safe.range.lowerBound / Self.page * Self.page..<end
            return change.position < safe.through && pages.overlaps(sector)
        }
    }

    /// Whether a sync of some pages has made a truncation safe.
    func isSafe(cut change: FileChange) -> Bool { safe.contains { change.position < $0.through } }

    /// The size that syncs of some pages have made safe since a change.
    func safeSize(since change: FileChange) -> Int {
        safe.filter { change.position < $0.through }.map(\.range.upperBound).max() ?? 0
    }
}
