public import Base
internal import TaskStore

/// The gateway's clock: the wall clock, where it is to be believed. One for the whole gateway; from any thread.
///
/// - ``now`` is for what is written down, ``believed`` for what is over by its age, and ``wall`` for what another machine
///   compares with its own clock: signatures and tokens.
///
/// All are milliseconds since 1970. A reading costs about 60 ns.
public final class GuardedClock: Sendable {
    private let readWall: @Sendable () -> Int64
    private let readMonotonic: @Sendable () -> MonotonicTime
    private let state: Lock<ClockGuard>

    /// A clock that believes the wall clock until ``resume(from:)`` says more.
    /// - Parameters:
    ///   - wall: milliseconds since 1970. Tests bring their own.
    ///   - monotonic: the clock that never jumps.
    public init(
        wall: @escaping @Sendable () -> Int64 = { WallClock.milliseconds },
        monotonic: @escaping @Sendable () -> MonotonicTime = { .now }
    ) {
        (readWall, readMonotonic) = (wall, monotonic)
        state = Lock(ClockGuard(wall: wall(), monotonic: monotonic()))
    }

    /// Goes on from the time at which the gateway that had the store before was.
    func resume(from store: any TaskStore) async throws(StoreError) {
        var mark = try await store.clockMark()
        // A store of an earlier version has no mark: the newest task's time has surely come.
        if mark == nil, let newest = try await store.allTasks(TaskFilter(), before: nil, limit: 1).first {
            mark = min(newest.createdAt, readWall())
        }
        guard let mark else { return }
        state.withLock { $0 = ClockGuard(wall: readWall(), monotonic: readMonotonic(), mark: mark) }
    }

    /// What is written down as the time at which something happened: never earlier than the believed time.
    public var now: Int64 { reading.now }

    /// The time that has surely come, which never jumps: what is over by its age is judged by it.
    public var believed: Int64 { reading.believed }

    /// The wall clock as it stands, right or wrong.
    var wall: Int64 { readWall() }

    /// The monotonic clock, in milliseconds since a start that means nothing.
    var monotonic: Int64 { readMonotonic().nanoseconds / 1_000_000 }

    var reading: ClockGuard.Reading {
        // Both are read inside, so that readings come in order.
        state.withLock { $0.read(wall: readWall(), monotonic: readMonotonic()) }
    }

    /// How old what was written down at a time surely is.
    func age(since time: Int64) -> Duration { .milliseconds(max(0, believed - time)) }
}
