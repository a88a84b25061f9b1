internal import Base
internal import Hashing
internal import TaskStore

/// Copies bodies, one after the other, and then compares them. Bodies that the copy has already are not written again.
struct BodyCopy {
    /// How many bodies are copied or compared between two reports.
    private static let batch = 100

    let source: any BodyCopyEnd
    let copy: any BodyCopyEnd
    /// The tasks that are queued, and how many bytes the body of each has. Other bodies of creates are not needed.
    let queued: [TaskID: Int]
    let report: (StoreCopy.Progress) -> Void

    /// - Parameter kinds: what is copied.
    func run(_ kinds: [BlobKind]) throws(StoreError) {
        if kinds.contains(.queued) { try requireAllQueued() }
        for kind in kinds { try refuseOthers(kind) }
        for kind in kinds { try transfer(kind) }
        for kind in kinds { try compare(kind) }
    }

    /// The bodies of the source.
    private func needed(_ kind: BlobKind) throws(StoreError) -> [Blob] {
        let blobs = try source.list(kind)
        return kind == .queued ? blobs.filter { blob in blob.task.map { queued[$0] != nil } ?? false } : blobs
    }

    private func requireAllQueued() throws(StoreError) {
        let found = Set(try needed(.queued).compactMap(\.task))
        guard let lost = queued.keys.filter({ !found.contains($0) }).min() else { return }
        throw StoreError(
            .corrupt,
            "the queued task \(lost) has no body in \(source.place(of: .queued)). If its gateway has another `spool`, give "
                + "the configuration of that. Otherwise start a gateway on the source, which ends the task as failed")
    }

    /// Refuses to mix bodies.
    private func refuseOthers(_ kind: BlobKind) throws(StoreError) {
        let names = Set(try needed(kind).map(\.name))
        guard let other = try copy.list(kind).first(where: { !names.contains($0.name) }) else { return }
        throw StoreError(
            .alreadyExists,
            "\(copy.place(of: kind)) has \(other.label), which the source does not have: remove what is there. It belongs "
                + "to another store, or to a copy that was interrupted before the source has changed")
    }

    /// Copies the bodies that the copy does not have yet.
    private func transfer(_ kind: BlobKind) throws(StoreError) {
        let copied = Set(try copy.list(kind).map(\.name))
        try forEach(try needed(kind).filter { !copied.contains($0.name) }, kind, isCheck: false) {
            blob throws(StoreError) in
            try copy.write(blob, try read(blob))
        }
    }

    /// Reads all bodies of both sides.
    private func compare(_ kind: BlobKind) throws(StoreError) {
        let copies = Dictionary(try copy.list(kind).map { ($0.name, $0) }) { first, _ in first }
        try forEach(try needed(kind), kind, isCheck: true) { blob throws(StoreError) in
            if let twin = copies[blob.name], twin.isCopy(of: blob) {
                // One at a time is in memory.
                let digest = Self.digest(try read(blob))
                if let found = try copy.read(twin), Self.digest(found) == digest { return }
            }
            throw StoreError(
                .corrupt,
                "the copy of \(blob.label) in \(copy.place(of: kind)) differs: a disk is damaged. Nothing serves from the "
                    + "copy; remove the body there and copy again")
        }
    }

    private func forEach(
        _ blobs: [Blob], _ kind: BlobKind, isCheck: Bool, _ body: (Blob) throws(StoreError) -> Void
    ) throws(StoreError) {
        for (count, blob) in blobs.enumerated() {
            if count > 0, count % Self.batch == 0 { report(.init(part: kind.label, count: count, isCheck: isCheck)) }
            try body(blob)
        }
        report(.init(part: kind.label, count: blobs.count, isCheck: isCheck))
    }

    /// Reads a body of the source, and verifies what can be verified of it.
    private func read(_ blob: Blob) throws(StoreError) -> Bytes {
        guard let body = try source.read(blob), body.count == blob.bytes else {
            throw StoreError(.corrupt, "\(name(of: blob)) does not have its \(blob.bytes) bytes")
        }
        guard blob.kind == .queued, let length = blob.task.flatMap({ queued[$0] }) else { return body }
        do throws(SpoolError) {
            try SpoolSeal.verify(body, expecting: length, name: name(of: blob))
        } catch {
            throw StoreError(
                .corrupt,
                "\(error.detail). Remove it, and start a gateway on the source, which ends the task as failed")
        }
        return body
    }

    private func name(of blob: Blob) -> String { "\(blob.label) in \(source.place(of: blob.kind))" }

    private static func digest(_ body: Bytes) -> ContentDigest { ContentDigest(of: ByteSlice(body, 0..<body.count)) }
}

extension BlobKind {
    /// The bodies of the kind, for the operator.
    fileprivate var label: String {
        switch self {
        case .queued: "queued bodies"
        case .hosted: "pictures for Kling"
        case .uploaded: "uploaded pictures"
        }
    }
}

extension Blob {
    /// The body, for the operator. The name of a picture for Kling is a secret.
    var label: String {
        switch kind {
        case .queued: "the body of \(name)"
        case .hosted: "the picture for Kling of \(task.map(\.description) ?? "no task") from \(createdAt)"
        case .uploaded: "the uploaded picture \(name)"
        }
    }

    /// Whether a blob says the same of its body. Files don't have the time of a queued one, which nothing depends on.
    func isCopy(of other: Blob) -> Bool {
        let isOfSameTime = createdAt == other.createdAt || kind == .queued
        return isOfSameTime && kind == other.kind && name == other.name && task == other.task && owner == other.owner
            && bytes == other.bytes
    }
}
