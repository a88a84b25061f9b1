internal import TaskStore

/// What may be kept of pictures for Kling. Times are in milliseconds.
public struct HostedPictureBounds: Sendable, Hashable {
    /// How long one is kept after its task has ended.
    public var linger: Int64 = 600_000
    /// How long one is kept at most, whatever becomes of its task.
    public var age: Int64 = 3_600_000
    /// How many bytes there are of all.
    public var bytes = 1 << 30
    /// How many there are; of usual ones the bytes are reached long before.
    var count = 16_384

    /// The defaults.
    public init() {}
}

/// Which hosted pictures there are, and until when. A value: its times are those of a clock that never jumps, in
/// milliseconds.
struct HostedPictureBooks: Sendable {
    private struct Entry {
        let picture: HostedPicture
        let madeAt: Int64
        /// From when on it is not there any more.
        var goesAt: Int64
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
        entries[name].flatMap { now < $0.goesAt ? $0.picture : nil }
    }

    /// Takes in a new picture.
    /// - Returns: those that have to go for it: what is over, then the oldest whose tasks have ended; nil if there would
    ///   be no room even then, and nothing goes.
    mutating func admit(_ picture: HostedPicture, now: Int64) -> [HostedPicture]? {
        guard let gone = leaving(for: picture.bytes, now: now) else { return nil }
        for old in gone { remove(old) }
        insert(picture, madeAt: now)
        return gone
    }

    private func leaving(for wanted: Int, now: Int64) -> [HostedPicture]? {
        var (bytes, count) = (bytes + wanted, entries.count + 1)
        if bytes <= bounds.bytes && count <= bounds.count { return [] }
        let order = entries.values.filter { $0.hasEnded || $0.goesAt <= now }.sorted { one, other in
            let (isOver, otherIsOver) = (one.goesAt <= now, other.goesAt <= now)
            return isOver == otherIsOver ? one.madeAt < other.madeAt : isOver
        }
        var gone: [HostedPicture] = []
        for entry in order where bytes > bounds.bytes || count > bounds.count {
            gone.append(entry.picture)
            (bytes, count) = (bytes - entry.picture.bytes, count - 1)
        }
        return bytes <= bounds.bytes && count <= bounds.count ? gone : nil
    }

    /// Takes in a picture of an earlier life of the gateway, also one for which there is no room any more.
    /// - Parameter madeAt: when it was made, by the clock of this life.
    mutating func restore(_ picture: HostedPicture, madeAt: Int64) { insert(picture, madeAt: madeAt) }

    private mutating func insert(_ picture: HostedPicture, madeAt: Int64) {
        entries[picture.name] = Entry(picture: picture, madeAt: madeAt, goesAt: madeAt + bounds.age)
        names[picture.task, default: []].append(picture.name)
        bytes += picture.bytes
    }

    /// A task has ended: Kling needs its pictures for a little while at most.
    mutating func end(of task: TaskID, now: Int64) {
        for name in names[task] ?? [] {
            guard let entry = entries[name], !entry.hasEnded else { continue }
            entries[name]?.hasEnded = true
            entries[name]?.goesAt = min(entry.goesAt, now + bounds.linger)
        }
    }

    /// Takes out the pictures of a task.
    mutating func removeAll(of task: TaskID) -> [HostedPicture] {
        let pictures = (names[task] ?? []).compactMap { entries[$0]?.picture }
        for picture in pictures { remove(picture) }
        return pictures
    }

    /// Takes out a picture.
    /// - Returns: whether it was there.
    @discardableResult
    mutating func remove(_ picture: HostedPicture) -> Bool {
        guard entries.removeValue(forKey: picture.name) != nil else { return false }
        bytes -= picture.bytes
        names[picture.task]?.removeAll { $0 == picture.name }
        if names[picture.task]?.isEmpty == true { names[picture.task] = nil }
        return true
    }

    /// Takes out what is over.
    mutating func expire(now: Int64) -> [HostedPicture] {
        let gone = entries.values.filter { $0.goesAt <= now }.map(\.picture)
        for picture in gone { remove(picture) }
        return gone
    }
}
