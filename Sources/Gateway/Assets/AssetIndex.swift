/// The limits for uploaded pictures.
struct AssetBounds: Sendable, Hashable {
    /// How long a picture is kept, in milliseconds.
    var lifetime: Int64 = 24 * 3_600_000
    /// The maximum for one tenant.
    var ownCount = 2_000
    var ownBytes = 1 << 30
    /// The maximum for all tenants together.
    var count = 20_000
    var bytes = 4 << 30
}

/// The index of uploaded pictures. They expire after their lifetime, and are evicted earlier if newer ones need the
/// room: a tenant's oldest for its own, and when all room is taken, the oldest of the tenant with the most bytes.
struct AssetIndex: Sendable {
    /// One tenant's pictures, oldest first.
    private struct TenantAssets {
        var assets: [Asset] = []
        var bytes = 0
    }

    private let bounds: AssetBounds
    private var byOwner: [AssetOwner: TenantAssets] = [:]
    private(set) var count = 0
    private(set) var bytes = 0

    init(_ bounds: AssetBounds = AssetBounds()) { self.bounds = bounds }

    /// Adds an asset. It is the newest of its owner, apart from those that were dated by a clock that was ahead.
    /// - Returns: the assets that are evicted for it.
    mutating func admit(_ asset: Asset) -> [Asset] {
        let older = byOwner[asset.owner]?.assets.lastIndex { $0.createdAt <= asset.createdAt }
        byOwner[asset.owner, default: TenantAssets()].assets.insert(asset, at: older.map { $0 + 1 } ?? 0)
        byOwner[asset.owner]?.bytes += asset.bytes
        count += 1
        bytes += asset.bytes
        var gone: [Asset] = []
        while let own = byOwner[asset.owner], own.assets.count > bounds.ownCount || own.bytes > bounds.ownBytes {
            gone += removeOldest(of: asset.owner)
        }
        while count > bounds.count || bytes > bounds.bytes {
            guard let largest = byOwner.max(by: { $0.value.bytes < $1.value.bytes })?.key else { break }
            gone += removeOldest(of: largest)
        }
        return gone
    }

    /// The asset that `owner` has under a name, unless it has expired.
    func find(_ name: String, of owner: AssetOwner, now: Int64) -> Asset? {
        byOwner[owner]?.assets.last { $0.name == name && now - $0.createdAt < bounds.lifetime }
    }

    /// Removes an asset, if it is there.
    mutating func remove(_ asset: Asset) {
        guard let index = byOwner[asset.owner]?.assets.firstIndex(of: asset) else { return }
        remove(at: index, of: asset.owner)
    }

    /// Removes the expired assets and returns them.
    mutating func expire(now: Int64) -> [Asset] {
        var gone: [Asset] = []
        for owner in Array(byOwner.keys) {
            while let oldest = byOwner[owner]?.assets.first, now - oldest.createdAt >= bounds.lifetime {
                gone += removeOldest(of: owner)
            }
        }
        return gone
    }

    private mutating func removeOldest(of owner: AssetOwner) -> [Asset] {
        guard let asset = byOwner[owner]?.assets.first else { return [] }
        remove(at: 0, of: owner)
        return [asset]
    }

    private mutating func remove(at index: Int, of owner: AssetOwner) {
        guard let asset = byOwner[owner]?.assets.remove(at: index) else { return }
        byOwner[owner]?.bytes -= asset.bytes
        if byOwner[owner]?.assets.isEmpty == true { byOwner[owner] = nil }
        count -= 1
        bytes -= asset.bytes
    }
}
