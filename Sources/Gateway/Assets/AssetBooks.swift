/// What may be kept of uploaded pictures.
struct AssetBounds: Sendable, Hashable {
    /// How long one is kept, in milliseconds.
    var lifetime: Int64 = 24 * 3_600_000
    /// The most that a tenant has.
    var ownCount = 2_000
    var ownBytes = 1 << 30
    /// The most that all tenants have together.
    var count = 20_000
    var bytes = 4 << 30
}

/// Which uploaded pictures there are. They go when their time is over, or before that when newer ones need the room: a
/// tenant's oldest for its own, and when all room is taken the oldest of whoever has the most.
struct AssetBooks: Sendable {
    /// One tenant's, oldest first.
    private struct Shelf {
        var assets: [Asset] = []
        var bytes = 0
    }

    private let bounds: AssetBounds
    private var shelves: [AssetOwner: Shelf] = [:]
    private(set) var count = 0
    private(set) var bytes = 0

    init(_ bounds: AssetBounds = AssetBounds()) { self.bounds = bounds }

    /// Takes in an asset: the newest of all, but for those that a clock that was ahead has dated.
    /// - Returns: those that have to go for it.
    mutating func admit(_ asset: Asset) -> [Asset] {
        let older = shelves[asset.owner]?.assets.lastIndex { $0.createdAt <= asset.createdAt }
        shelves[asset.owner, default: Shelf()].assets.insert(asset, at: older.map { $0 + 1 } ?? 0)
        shelves[asset.owner]?.bytes += asset.bytes
        count += 1
        bytes += asset.bytes
        var gone: [Asset] = []
        while let own = shelves[asset.owner], own.assets.count > bounds.ownCount || own.bytes > bounds.ownBytes {
            gone += removeOldest(of: asset.owner)
        }
        while count > bounds.count || bytes > bounds.bytes {
            guard let largest = shelves.max(by: { $0.value.bytes < $1.value.bytes })?.key else { break }
            gone += removeOldest(of: largest)
        }
        return gone
    }

    /// The asset that `owner` has under a name, unless its time is over.
    func find(_ name: String, of owner: AssetOwner, now: Int64) -> Asset? {
        shelves[owner]?.assets.last { $0.name == name && now - $0.createdAt < bounds.lifetime }
    }

    /// Takes out an asset, if it is there.
    mutating func remove(_ asset: Asset) {
        guard let index = shelves[asset.owner]?.assets.firstIndex(of: asset) else { return }
        remove(at: index, of: asset.owner)
    }

    /// Takes out those whose time is over.
    mutating func expire(now: Int64) -> [Asset] {
        var gone: [Asset] = []
        for owner in Array(shelves.keys) {
            while let oldest = shelves[owner]?.assets.first, now - oldest.createdAt >= bounds.lifetime {
                gone += removeOldest(of: owner)
            }
        }
        return gone
    }

    private mutating func removeOldest(of owner: AssetOwner) -> [Asset] {
        guard let asset = shelves[owner]?.assets.first else { return [] }
        remove(at: 0, of: owner)
        return [asset]
    }

    private mutating func remove(at index: Int, of owner: AssetOwner) {
        guard let asset = shelves[owner]?.assets.remove(at: index) else { return }
        shelves[owner]?.bytes -= asset.bytes
        if shelves[owner]?.assets.isEmpty == true { shelves[owner] = nil }
        count -= 1
        bytes -= asset.bytes
    }
}
