internal import Base
internal import Glibc
internal import TaskStore

/// The bodies of a store in SQLite, for a copy: files, under the names by which the gateway finds them.
struct FolderCopyEnd: BodyCopyEnd {
    private let paths: [BlobKind: String]
    private let folders: [BlobKind: DurableFolder]

    /// Opens folders, which no gateway may use.
    /// - Parameters:
    ///   - kinds: those whose folders are opened.
    ///   - isCopy: whether to create a missing folder. Otherwise it counts as empty.
    init(_ paths: [BlobKind: String], _ kinds: [BlobKind], isCopy: Bool) throws(StoreError) {
        var folders: [BlobKind: DurableFolder] = [:]
        for kind in kinds {
            guard let path = paths[kind] else { continue }
            if !isCopy, unsafe access(path, F_OK) != 0 { continue }
            do throws(SpoolError) {
                folders[kind] = try DurableFolder(
                    path, purpose: "bodies", advice: "Run this as the user that the gateway runs as.",
                    inUseAdvice: "Stop it.")
            } catch {
                throw StoreError(copying: error)
            }
        }
        (self.paths, self.folders) = (paths, folders)
    }

    func place(of kind: BlobKind) -> String { paths[kind] ?? "no folder" }

    func list(_ kind: BlobKind) throws(StoreError) -> [Blob] {
        guard let folder = folders[kind] else { return [] }
        var blobs: [Blob] = []
        let names = try wrapping(nil) { () throws(SpoolError) in try folder.names() }
        for name in names.sorted() {
            guard let found = Self.blob(kind, name, bytes: 0) else { continue }
            let size = try wrapping(found) { () throws(SpoolError) in try folder.size(of: name) }
            if let blob = Self.blob(kind, name, bytes: size) { blobs.append(blob) }
        }
        return blobs
    }

    func read(_ blob: Blob) throws(StoreError) -> Bytes? {
        let (folder, file) = try find(blob)
        return try wrapping(blob) { () throws(SpoolError) in try folder.read(file.name) }
    }

    func write(_ blob: Blob, _ body: Bytes) throws(StoreError) {
        let (folder, file) = try find(blob)
        try wrapping(blob) { () throws(SpoolError) in
            try folder.write(file.name, [ByteSlice(body, 0..<body.count)], draft: file.draft)
        }
    }

    private typealias File = (name: String, draft: String)

    private func find(_ blob: Blob) throws(StoreError) -> (DurableFolder, File) {
        guard let folder = folders[blob.kind], let file = Self.file(of: blob),
            Self.blob(blob.kind, file.name, bytes: blob.bytes)?.isCopy(of: blob) == true
        else { throw StoreError(.corrupt, "\(blob.label) does not have the name of a body") }
        return (folder, file)
    }

    private static func file(of blob: Blob) -> File? {
        switch blob.kind {
        case .queued: blob.task.map(SpoolFolder.file(of:))
        case .hosted: HostedPicture(blob).map { ($0.file, $0.draft) }
        case .uploaded: Asset(blob).map { ($0.file, $0.draft) }
        }
    }

    /// Says what the name of a file does; nil if it is not a body's.
    private static func blob(_ kind: BlobKind, _ file: String, bytes: Int) -> Blob? {
        switch kind {
        case .queued:
            SpoolFolder.task(ofFile: file).map {
                Blob(.queued, $0.description, task: $0, createdAt: $0.milliseconds, bytes: bytes)
            }
        case .hosted: HostedPicture(file: file, bytes: bytes)?.blob
        case .uploaded: Asset(file: file, bytes: bytes)?.blob
        }
    }

    /// - Parameter blob: the one that errors are about.
    private func wrapping<Value>(
        _ blob: Blob?, _ body: () throws(SpoolError) -> Value
    ) throws(StoreError) -> Value {
        do throws(SpoolError) {
            return try body()
        } catch {
            throw StoreError(copying: blob?.kind == .hosted ? error.withholding(blob?.name ?? "") : error)
        }
    }
}

extension StoreError {
    /// The error of a copy that could not read or write its files.
    init(copying error: SpoolError) {
        let code: Code =
            switch error.code {
            case .full, .noRoom: .full
            case .readOnly: .readOnly
            case .damaged: .corrupt
            case .inUse: .alreadyServed
            case .missing, .unavailable: .unavailable
            }
        self.init(code, error.detail)
    }
}
