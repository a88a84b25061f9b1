internal import Base
internal import TaskStore

/// The pictures that tenants have uploaded, in a store that several gateways share: each of them reads all. Nothing
/// about them is in memory.
final class SharedAssetStore: Uploads {
    private let blobs: any BlobStore
    private let bounds: AssetBounds
    private let clock: GuardedClock

    init(_ blobs: any BlobStore, _ bounds: AssetBounds, _ clock: GuardedClock) {
        (self.blobs, self.bounds, self.clock) = (blobs, bounds, clock)
    }

    func keep(
        _ picture: ByteSlice, format: PictureFormat, tenant: String, now: Int64?
    ) async throws(SpoolError) -> Asset {
        let owner = AssetOwner(tenant: tenant)
        let asset = Asset(format, owner: owner, bytes: picture.count, createdAt: now ?? clock.now)
        return try await SpoolError.wrapping { () throws(StoreError) in
            let own = try await blobs.total(.uploaded, .owner(owner.digits))
            if own.count >= bounds.ownCount || own.bytes + asset.bytes > bounds.ownBytes {
                try await makeRoom(for: asset, among: owner)
            }
            if try await write(asset, picture) { return asset }
            try await makeRoom(for: asset, among: nil)
            guard try await write(asset, picture) else {
                throw StoreError(.full, "the store has no room for \(asset.bytes) bytes of uploaded pictures")
            }
            return asset
        }
    }

    private func write(_ asset: Asset, _ picture: ByteSlice) async throws(StoreError) -> Bool {
        let bounds = BlobTotal(count: bounds.count, bytes: bounds.bytes)
        return try await blobs.write(asset.blob, [picture], within: bounds)
    }

    /// Removes what a new asset evicts.
    /// - Parameter owner: whose assets; nil: everyone's.
    private func makeRoom(for asset: Asset, among owner: AssetOwner?) async throws(StoreError) {
        var index = AssetIndex(bounds)
        let stored = try await blobs.list(.uploaded, owner: owner?.digits)
        let evicted = (stored.compactMap { Asset($0.blob) } + [asset]).flatMap { index.admit($0) }
        try await blobs.remove(.uploaded, evicted.map(\.name))
    }

    func find(_ name: String, tenant: String, now: Int64?) async throws(SpoolError) -> Asset? {
        // Only what may be a name is looked up.
        guard PictureFormat.isLinkName(name[...]) else { return nil }
        let stored = try await SpoolError.wrapping { () throws(StoreError) in try await blobs.find(.uploaded, name) }
        guard let asset = stored.flatMap({ Asset($0.blob) }), asset.owner == AssetOwner(tenant: tenant) else {
            return nil
        }
        return (now ?? clock.believed) - asset.createdAt < bounds.lifetime ? asset : nil
    }

    func read(_ asset: Asset, holding: (any Sendable)?) async throws(SpoolError) -> Bytes {
        let bytes = try await SpoolError.wrapping { () throws(StoreError) in
            try await blobs.read(.uploaded, asset.name, holding: holding)
        }
        guard let bytes else { throw SpoolError(.missing, "the store has no such picture") }
        return bytes
    }

    func expire() async {
        _ = try? await blobs.expire(
            .uploaded, createdBefore: clock.believed - bounds.lifetime, tasksEndedBefore: .min)
    }
}

extension Asset {
    /// The asset as a blob, which says all that its file's name does.
    var blob: Blob { Blob(.uploaded, name, owner: owner.digits, createdAt: createdAt, bytes: bytes) }

    init?(_ blob: Blob) {
        guard let owner = AssetOwner(digits: blob.owner) else { return nil }
        self.init(name: blob.name, owner: owner, bytes: blob.bytes, createdAt: blob.createdAt)
    }
}
