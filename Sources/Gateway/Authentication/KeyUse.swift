internal import Synchronization

/// When a key was last used, to within ``grain``, in milliseconds since 1970. Any thread may call any function.
final class KeyUse: Sendable {
    /// A key that is used all the time writes this seldom, so that threads don't contend for its memory.
    private static let grain: Int64 = 10_000

    private let last = Atomic<Int64>(0)
    private let taken = Atomic<Int64>(0)

    /// Records a use.
    func note(_ now: Int64) {
        if now - last.load(ordering: .relaxed) >= Self.grain { last.store(now, ordering: .relaxed) }
    }

    /// The last use, if it was not taken before.
    func take() -> Int64? {
        let time = last.load(ordering: .relaxed)
        return time == taken.exchange(time, ordering: .relaxed) ? nil : time
    }
}
