internal import Base
internal import KlingAPI

/// The pictures that tenants have uploaded, on disk: one file each, mode 0600, in a folder of their own.
///
/// Usable from any thread; no event loop waits for the disk. When ``keep(_:format:tenant:now:)`` returns, the picture
/// survives a crash of the machine.
final class AssetStore: Uploads {
    /// Two, so that a large picture doesn't hold up a small one.
    private static let threads = 2

    private let folder: DurableFolder
    private let workers = SpoolWorkers(concurrency: AssetStore.threads)
    private let index: Lock<AssetIndex>
    private let clock: GuardedClock

    /// Opens the folder at `path`, creates it (mode 0700) if it doesn't exist, and indexes its pictures. Blocks on the
    /// disk. Nothing expires yet, because the clock may be wrong at startup.
    /// - Throws: why the gateway can't use the folder, in words for the operator.
    convenience init(_ path: String, clock: GuardedClock) throws(SpoolError) {
        try self.init(path, bounds: AssetBounds(), now: 0, clock: clock)
    }

    init(
        _ path: String, bounds: AssetBounds, now: Int64, clock: GuardedClock = GuardedClock()
    ) throws(SpoolError) {
        self.clock = clock
        folder = try DurableFolder(
            path, purpose: "assets",
            advice: "The gateway keeps uploaded pictures there: let it write beside its store.",
            inUseAdvice: "Give each gateway a store of its own: uploaded pictures are kept beside it.")
        index = Lock(try Self.found(in: folder, bounds, now))
    }

    /// Indexes the pictures in the folder. Removes what a crash has left half written and what exceeds the limits.
    private static func found(
        in folder: DurableFolder, _ bounds: AssetBounds, _ now: Int64
    ) throws(SpoolError) -> AssetIndex {
        var assets: [Asset] = []
        for name in try folder.names() {
            if Asset.isDraft(name) {
                try folder.remove(name)
            } else if Asset(file: name, bytes: 0) != nil,
                let asset = Asset(file: name, bytes: try folder.size(of: name))
            {
                assets.append(asset)
            }
        }
        assets.sort { $0.createdAt < $1.createdAt }
        var index = AssetIndex(bounds)
        for asset in assets.flatMap({ index.admit($0) }) + index.expire(now: now) { try folder.remove(asset.file) }
        return index
    }

    /// The number of pictures and their total bytes.
    var figures: (count: Int, bytes: Int) { index.withLock { ($0.count, $0.bytes) } }

    /// Stores data that was found to be a picture.
    func keep(
        _ picture: ByteSlice, format: PictureFormat, tenant: String, now: Int64? = nil
    ) async throws(SpoolError) -> Asset {
        let owner = AssetOwner(tenant: tenant)
        let asset = Asset(format, owner: owner, bytes: picture.count, createdAt: now ?? clock.now)
        let believed = now ?? clock.believed
        remove(index.withLock { $0.expire(now: believed) + $0.admit(asset) })
        do {
            try await workers.run { [folder] () throws(SpoolError) in
                try folder.write(asset.file, [picture], draft: asset.draft)
            }
        } catch {
            index.withLock { $0.remove(asset) }
            throw error
        }
        return asset
    }

    /// The picture that a tenant has under a name; nil if there is none or it has expired.
    func find(_ name: String, tenant: String, now: Int64? = nil) -> Asset? {
        let believed = now ?? clock.believed
        return index.withLock { $0.find(name, of: AssetOwner(tenant: tenant), now: believed) }
    }

    /// Reads a picture into one block of memory.
    /// - Parameter holding: released together with the block, such as the memory's lease.
    /// - Throws: `missing` if it has been removed in the meantime.
    func read(_ asset: Asset, holding: (any Sendable)? = nil) async throws(SpoolError) -> Bytes {
        try await workers.run { [folder] () throws(SpoolError) in try folder.read(asset.file, holding: holding) }
    }

    /// Removes the expired pictures, without waiting for the disk.
    func expire() {
        let believed = clock.believed
        remove(index.withLock { $0.expire(now: believed) })
    }

    private func remove(_ assets: [Asset]) {
        if assets.isEmpty { return }
        workers.submit { [folder] in
            for asset in assets { try? folder.remove(asset.file) }
        }
    }
}
