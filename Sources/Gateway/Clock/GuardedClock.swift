public import Base
internal import TaskStore

/// The gateway's clock: the wall clock, guarded against jumps. There is one for the whole gateway, usable from any
/// thread.
///
/// Use ``now`` for the times in records, ``believed`` for what expires by age, and ``wall`` for what another machine
/// compares with its own clock: signatures and tokens.
///
/// All are milliseconds since 1970. A reading costs about 60 ns.
public final class GuardedClock: Sendable {
    private let readWall: @Sendable () -> Int64
    private let readMonotonic: @Sendable () -> MonotonicTime
    private let state: Lock<ClockGuard>

    /// Creates a clock that believes the wall clock until ``resume(from:)`` is called.
    /// - Parameters:
    ///   - wall: milliseconds since 1970. Tests pass their own.
    ///   - monotonic: the clock that never jumps.
    public init(
        wall: @escaping @Sendable () -> Int64 = { WallClock.milliseconds },
        monotonic: @escaping @Sendable () -> MonotonicTime = { .now }
    ) {
        (readWall, readMonotonic) = (wall, monotonic)
        state = Lock(ClockGuard(wall: wall(), monotonic: monotonic()))
    }

    /// Continues from the believed time that the previous process left in the store.
    func resume(from store: any TaskStore) async throws(StoreError) {
        var mark = try await store.clock.mark()
        // A store of an earlier version has no mark, but the time of the newest task has certainly been reached.
        if mark == nil, let newest = try await store.allTasks(TaskFilter(), before: nil, limit: 1).first {
            mark = min(newest.createdAt, readWall())
        }
        guard let mark else { return }
        state.withLock { $0 = ClockGuard(wall: readWall(), monotonic: readMonotonic(), mark: mark) }
    }

    /// The time to record for what happens now: never earlier than the believed time.
    public var now: Int64 { reading.now }

    /// The believed time, which has certainly been reached. It never jumps; records expire by it.
    public var believed: Int64 { reading.believed }

    /// The wall clock as it is, right or wrong.
    var wall: Int64 { readWall() }

    /// The monotonic clock, in milliseconds since an arbitrary start.
    var monotonic: Int64 { readMonotonic().nanoseconds / 1_000_000 }

    var reading: ClockGuard.Reading {
        // Both clocks are read under the lock, so that the readings are in order.
        state.withLock { $0.read(wall: readWall(), monotonic: readMonotonic()) }
    }

    /// The time that has certainly passed since `time`.
    func age(since time: Int64) -> Duration { .milliseconds(max(0, believed - time)) }
}
