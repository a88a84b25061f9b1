internal import Base
internal import TaskStore

/// The pictures that Kling gets as links, in a store that several gateways share: each of them serves all.
///
/// Nothing about them is in memory. Whether a task has ended is decided by its record.
final class SharedHostedPictures: PictureHost {
    private let blobs: any BlobStore
    private let bounds: HostedPictureBounds
    private let clock: GuardedClock
    private let lastFigures = Lock(HostedPictureFigures(count: 0, bytes: 0))

    init(_ blobs: any BlobStore, _ bounds: HostedPictureBounds, _ clock: GuardedClock) {
        (self.blobs, self.bounds, self.clock) = (blobs, bounds, clock)
    }

    var figures: HostedPictureFigures { lastFigures.withLock { $0 } }

    func host(
        _ file: ByteSlice, format: PictureFormat, for task: TaskID
    ) async throws(SpoolError) -> HostedPicture {
        let picture = HostedPicture(format, of: task, bytes: file.count, madeAt: clock.believed)
        if try await write(picture, file) { return picture }
        try await makeRoom(for: picture)
        guard try await write(picture, file) else { throw full }
        return picture
    }

    private func write(_ picture: HostedPicture, _ file: ByteSlice) async throws(SpoolError) -> Bool {
        let bounds = BlobTotal(count: bounds.count, bytes: bounds.bytes)
        return try await run(picture.name) { blobs throws(StoreError) in
            try await blobs.write(picture.blob, [file], within: bounds)
        }
    }

    /// Removes expired pictures, then the oldest of ended tasks.
    private func makeRoom(for picture: HostedPicture) async throws(SpoolError) {
        let stored = try await run(picture.name) { blobs throws(StoreError) in
            try await blobs.list(.hosted, owner: nil)
        }
        let (now, believed) = (clock.monotonic, clock.believed)
        var index = HostedPictureIndex(bounds)
        for one in stored {
            guard let picture = HostedPicture(one.blob) else { continue }
            index.restore(picture, madeAt: now - max(0, believed - picture.madeAt))
            if one.taskState?.isFinal ?? true { index.end(of: picture.task, now: now) }
        }
        guard let evicted = index.admit(picture, now: now) else { throw full }
        try await run(picture.name) { blobs throws(StoreError) in
            try await blobs.remove(.hosted, evicted.map(\.name))
        }
    }

    private var full: SpoolError {
        SpoolError(.full, "\(bounds.bytes) bytes of pictures are the limit, and open tasks need those that there are")
    }

    func end(of task: TaskID) {}

    func find(_ name: String) async throws(SpoolError) -> HostedPicture? {
        // Only what may be a name is looked up.
        guard PictureFormat.isLinkName(name[...]) else { return nil }
        let stored = try await run(name) { blobs throws(StoreError) in try await blobs.find(.hosted, name) }
        guard let stored, let state = stored.taskState, let picture = HostedPicture(stored.blob) else { return nil }
        let now = clock.believed
        let lingers = !state.isFinal || now - (stored.taskEndedAt ?? 0) < bounds.linger
        return lingers && now - picture.madeAt < bounds.age ? picture : nil
    }

    func read(_ picture: HostedPicture, holding: (any Sendable)?) async throws(SpoolError) -> Bytes {
        let bytes = try await run(picture.name) { blobs throws(StoreError) in
            try await blobs.read(.hosted, picture.name, holding: holding)
        }
        guard let bytes else { throw SpoolError(.missing, "the store has no such picture") }
        return bytes
    }

    func expire() async {
        let now = clock.believed
        _ = try? await blobs.expire(
            .hosted, createdBefore: now - bounds.age, tasksEndedBefore: now - bounds.linger)
        guard let total = try? await blobs.total(.hosted, .ownTasks) else { return }
        lastFigures.withLock { $0 = HostedPictureFigures(count: total.count, bytes: total.bytes) }
    }

    func recover(from store: any TaskStore) async throws { await expire() }

    /// - Parameter name: must not appear in errors.
    private func run<Value>(
        _ name: String, _ body: (any BlobStore) async throws(StoreError) -> Value
    ) async throws(SpoolError) -> Value {
        do throws(StoreError) {
            return try await body(blobs)
        } catch {
            throw SpoolError(error).withholding(name)
        }
    }
}

extension HostedPicture {
    /// The picture as a blob, which says all that its file's name does.
    var blob: Blob { Blob(.hosted, name, task: task, createdAt: madeAt, bytes: bytes) }

    init?(_ blob: Blob) {
        guard let task = blob.task else { return nil }
        self.init(name: blob.name, task: task, bytes: blob.bytes, madeAt: blob.createdAt)
    }
}
