public import TaskStore

/// Copies a store and the bodies that belong to it: those of queued creates, the pictures that Kling gets as links, and
/// uploaded pictures.
public enum DataCopy {
    /// What is copied, or what a copy becomes.
    public enum Place: Sendable {
        /// An SQLite file, and the folders with the bodies of each kind.
        case sqlite(path: String, folders: [BlobKind: String])
        /// A PostgreSQL database, which has the bodies too.
        case postgres(url: String)

        fileprivate var store: StoreCopy.Place {
            switch self {
            case .sqlite(let path, _): .sqlite(path: path)
            case .postgres(let url): .postgres(url: url)
            }
        }

        fileprivate var folders: [BlobKind: String] {
            switch self {
            case .sqlite(_, let folders): folders
            case .postgres: [:]
            }
        }
    }

    /// Copies a store and its bodies, and compares the copy with them. This blocks the thread.
    ///
    /// A folder that both stores use is left alone.
    /// - Parameters:
    ///   - source: nobody may serve from it.
    ///   - destination: where no store is yet, nor bodies of another one.
    ///   - report: called from time to time.
    /// - Throws: as ``StoreCopy/run(from:to:bodies:report:)``; also `corrupt` if a body is damaged, or missing for a
    ///   queued task, and `alreadyExists` if there are other bodies at `destination`.
    public static func run(
        from source: Place, to destination: Place, report: @escaping (StoreCopy.Progress) -> Void = { _ in }
    ) throws(StoreError) {
        let (from, to) = (source.folders, destination.folders)
        let kinds = BlobKind.allCases.filter { from[$0] == nil || from[$0] != to[$0] }
        try StoreCopy.run(
            from: source.store, to: destination.store,
            bodies: { bodies throws(StoreError) in
                let source = try end(bodies.source, from, kinds, isCopy: false)
                let copy = try end(bodies.copy, to, kinds, isCopy: true)
                try BodyCopy(source: source, copy: copy, queued: bodies.queued, report: report).run(kinds)
            }, report: report)
    }

    private static func end(
        _ stored: (any BodyCopyEnd)?, _ folders: [BlobKind: String], _ kinds: [BlobKind], isCopy: Bool
    ) throws(StoreError) -> any BodyCopyEnd {
        if let stored { return stored }
        return try FolderCopyEnd(folders, kinds, isCopy: isCopy)
    }
}
