internal import Base
internal import TaskStore

/// The bodies of queued creates, in a store that several gateways share.
///
/// A body has its seal behind it, as in a file. It is removed if its task's record says that it is not needed, whichever
/// gateway's task it is: records are written before bodies.
final class SharedSpool: QueuedBodies {
    private let blobs: any BlobStore
    private let bounds: BlobTotal
    private let clock: GuardedClock
    /// Computes the checksums, which take a while for a large body.
    private let workers = SpoolWorkers(concurrency: 2)

    init(_ blobs: any BlobStore, _ bounds: QueueBounds, _ clock: GuardedClock) {
        (self.blobs, self.clock) = (blobs, clock)
        self.bounds = BlobTotal(count: bounds.tasks, bytes: bounds.bytes + bounds.tasks * SpoolSeal.byteCount)
    }

    func write(_ id: TaskID, _ body: [ByteSlice]) async throws(SpoolError) {
        let (sealed, size) = try await workers.run { () throws(SpoolError) in
            let seal = SpoolSeal(body)
            let end = Bytes(seal.bytes)
            return (body + [ByteSlice(end, 0..<end.count)], seal.length + end.count)
        }
        let blob = Blob(.queued, id.description, task: id, createdAt: clock.believed, bytes: size)
        let isWritten = try await SpoolError.wrapping { () throws(StoreError) in
            try await blobs.write(blob, sealed, within: bounds)
        }
        if !isWritten { throw SpoolError(.noRoom, "the queues of all gateways have no room for \(size) bytes") }
    }

    func read(_ id: TaskID, length: Int, holding: (any Sendable)?) async throws(SpoolError) -> ByteSlice {
        let read = try await SpoolError.wrapping { () throws(StoreError) in
            try await blobs.read(.queued, id.description, holding: holding)
        }
        guard let read else { throw SpoolError(.missing, "the store has no body of \(id)") }
        return try await workers.run { () throws(SpoolError) in
            try SpoolSeal.body(in: read, expecting: length, name: "the body of \(id)")
        }
    }

    func removeLater(_ id: TaskID) {
        // If its record does not say yet that it is not needed, a sweep removes it.
        Task { [blobs] in _ = try? await blobs.removeSent(.queued, id.description) }
    }

    func list() async throws(SpoolError) -> [TaskID] {
        try await SpoolError.wrapping { () throws(StoreError) in
            try await blobs.list(.queued, owner: nil).compactMap(\.blob.task)
        }
    }

    func recover(queued: Set<TaskID>) async throws(SpoolError) -> Spool.Recovery {
        let removed = try await SpoolError.wrapping { () throws(StoreError) in try await blobs.removeSent(.queued, nil)
        }
        let kept = queued.intersection(try await list())
        return Spool.Recovery(kept: kept, removed: removed, missing: queued.subtracting(kept).sorted())
    }

    func sweep() async { _ = try? await blobs.removeSent(.queued, nil) }
}
