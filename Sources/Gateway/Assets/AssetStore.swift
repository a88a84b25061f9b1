internal import Base
internal import KlingAPI

/// The pictures that tenants have uploaded, on the disk: one file each, mode 0600, in a folder of its own.
///
/// From any thread; nobody's loop waits for the disk. What ``keep(_:format:tenant:now:)`` returns from survives a crash
/// of the machine.
public final class AssetStore: Sendable {
    /// Two, so that a large picture doesn't hold up a small one.
    private static let threads = 2

    private let folder: DurableFolder
    private let workers = SpoolWorkers(width: AssetStore.threads)
    private let books: Lock<AssetBooks>
    private let clock: GuardedClock

    /// Opens the folder at `path`, makes it (mode 0700) if it isn't there, and finds what was kept. Waits for the disk.
    /// Nothing goes for its age yet: the clock may be wrong at a start.
    /// - Throws: what keeps the gateway from using the folder, in words for the operator.
    public convenience init(_ path: String, clock: GuardedClock) throws(SpoolError) {
        try self.init(path, bounds: AssetBounds(), now: 0, clock: clock)
    }

    init(
        _ path: String, bounds: AssetBounds, now: Int64, clock: GuardedClock = GuardedClock()
    ) throws(SpoolError) {
        self.clock = clock
        folder = try DurableFolder(
            path, purpose: "assets",
            advice: "The gateway keeps uploaded pictures there: let it write beside its store.",
            apart: "Give each gateway a store of its own: uploaded pictures lie beside it.")
        books = Lock(try Self.found(in: folder, bounds, now))
    }

    /// What is there, without what a crash has left half written and what has to go.
    private static func found(
        in folder: DurableFolder, _ bounds: AssetBounds, _ now: Int64
    ) throws(SpoolError) -> AssetBooks {
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
        var books = AssetBooks(bounds)
        for asset in assets.flatMap({ books.admit($0) }) + books.expire(now: now) { try folder.remove(asset.file) }
        return books
    }

    /// How many there are, and how many bytes they have.
    var figures: (count: Int, bytes: Int) { books.withLock { ($0.count, $0.bytes) } }

    /// Keeps a picture, which was found to be one.
    func keep(
        _ picture: ByteSlice, format: PictureFormat, tenant: String, now: Int64? = nil
    ) async throws(SpoolError) -> Asset {
        let owner = AssetOwner(tenant: tenant)
        let asset = Asset(format, owner: owner, bytes: picture.count, createdAt: now ?? clock.now)
        let believed = now ?? clock.believed
        remove(books.withLock { $0.expire(now: believed) + $0.admit(asset) })
        do {
            try await workers.run { [folder] () throws(SpoolError) in
                try folder.write(asset.file, [picture], draft: asset.draft)
            }
        } catch {
            books.withLock { $0.remove(asset) }
            throw error
        }
        return asset
    }

    /// The picture that a tenant has under a name; nil if it has none, or has it no more.
    func find(_ name: String, tenant: String, now: Int64? = nil) -> Asset? {
        let believed = now ?? clock.believed
        return books.withLock { $0.find(name, of: AssetOwner(tenant: tenant), now: believed) }
    }

    /// Reads a picture, into the one block that it is held in.
    /// - Parameter holding: is let go of together with the block, such as the memory's lease.
    /// - Throws: `missing` if it is gone by now.
    func read(_ asset: Asset, holding: (any Sendable)? = nil) async throws(SpoolError) -> Bytes {
        try await workers.run { [folder] () throws(SpoolError) in try folder.read(asset.file, holding: holding) }
    }

    /// Removes those whose time is over, when there is time.
    func expire() {
        let believed = clock.believed
        remove(books.withLock { $0.expire(now: believed) })
    }

    private func remove(_ assets: [Asset]) {
        if assets.isEmpty { return }
        workers.submit { [folder] in
            for asset in assets { try? folder.remove(asset.file) }
        }
    }
}
