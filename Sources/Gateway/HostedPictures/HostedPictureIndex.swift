internal import TaskStore

/// The limits for hosted pictures. Times are in milliseconds.
public struct HostedPictureBounds: Sendable, Hashable {
    /// How long a picture is kept after its task has ended.
    public var linger: Int64 = 600_000
    /// How long a picture is kept at most, even if its task has not ended.
    public var age: Int64 = 3_600_000
    /// The maximum size of all pictures together, in bytes.
    public var bytes = 1 << 30
    /// The maximum number of pictures; pictures of usual sizes reach the limit of bytes long before that.
    var count = 16_384

    /// Creates the default limits.
    public init() {}
}

/// The index of hosted pictures, with the times at which they expire. A value type. Its times come from a clock that
/// never jumps, in milliseconds.
struct HostedPictureIndex: Sendable {
    private struct Entry {
        let picture: HostedPicture
        let madeAt: Int64
        /// When it expires.
        var expiresAt: Int64
        var hasEnded = false
    }

    private let bounds: HostedPictureBounds
    private var entries: [String: Entry] = [:]
    private var names: [TaskID: [String]] = [:]
    private(set) var bytes = 0

    init(_ bounds: HostedPictureBounds = HostedPictureBounds()) { self.bounds = bounds }

    var count: Int { entries.count }

    /// The picture that is served under a name.
    func find(_ name: String, now: Int64) -> HostedPicture? {
        entries[name].flatMap { now < $0.expiresAt ? $0.picture : nil }
    }

    /// Adds a new picture.
    /// - Returns: the pictures that are evicted for it: expired ones, then the oldest whose tasks have ended; nil,
    ///   and nothing is evicted, if there would be no room even then.
    mutating func admit(_ picture: HostedPicture, now: Int64) -> [HostedPicture]? {
        guard let evicted = evictions(for: picture.bytes, now: now) else { return nil }
        for old in evicted { remove(old) }
        insert(picture, madeAt: now)
        return evicted
    }

    private func evictions(for wanted: Int, now: Int64) -> [HostedPicture]? {
        var (bytes, count) = (bytes + wanted, entries.count + 1)
        if bytes <= bounds.bytes && count <= bounds.count { return [] }
        let order = entries.values.filter { $0.hasEnded || $0.expiresAt <= now }.sorted { one, other in
            let (isOver, otherIsOver) = (one.expiresAt <= now, other.expiresAt <= now)
            return isOver == otherIsOver ? one.madeAt < other.madeAt : isOver
        }
        var evicted: [HostedPicture] = []
        for entry in order where bytes > bounds.bytes || count > bounds.count {
            evicted.append(entry.picture)
            (bytes, count) = (bytes - entry.picture.bytes, count - 1)
        }
        return bytes <= bounds.bytes && count <= bounds.count ? evicted : nil
    }

    /// Restores a picture from before the restart, even above the limits.
    /// - Parameter madeAt: when it was made, by the clock of this process.
    mutating func restore(_ picture: HostedPicture, madeAt: Int64) { insert(picture, madeAt: madeAt) }

    private mutating func insert(_ picture: HostedPicture, madeAt: Int64) {
        entries[picture.name] = Entry(picture: picture, madeAt: madeAt, expiresAt: madeAt + bounds.age)
        names[picture.task, default: []].append(picture.name)
        bytes += picture.bytes
    }

    /// Shortens the life of an ended task's pictures: Kling needs them only for a little longer.
    mutating func end(of task: TaskID, now: Int64) {
        for name in names[task] ?? [] {
            guard let entry = entries[name], !entry.hasEnded else { continue }
            entries[name]?.hasEnded = true
            entries[name]?.expiresAt = min(entry.expiresAt, now + bounds.linger)
        }
    }

    /// Removes the pictures of a task and returns them.
    mutating func removeAll(of task: TaskID) -> [HostedPicture] {
        let pictures = (names[task] ?? []).compactMap { entries[$0]?.picture }
        for picture in pictures { remove(picture) }
        return pictures
    }

    /// Removes a picture.
    /// - Returns: whether it was there.
    @discardableResult
    mutating func remove(_ picture: HostedPicture) -> Bool {
        guard entries.removeValue(forKey: picture.name) != nil else { return false }
        bytes -= picture.bytes
        names[picture.task]?.removeAll { $0 == picture.name }
        if names[picture.task]?.isEmpty == true { names[picture.task] = nil }
        return true
    }

    /// Removes the expired pictures and returns them.
    mutating func expire(now: Int64) -> [HostedPicture] {
        let expired = entries.values.filter { $0.expiresAt <= now }.map(\.picture)
        for picture in expired { remove(picture) }
        return expired
    }
}
