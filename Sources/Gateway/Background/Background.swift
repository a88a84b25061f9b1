internal import Base
internal import EventLoop

/// Work that no client waits for, on one loop, until it is done or the gateway stops.
final class Background: Sendable {
    /// The clock that the work uses. Tests pass their own.
    struct Clock: Sendable {
        var now: @Sendable () -> MonotonicTime = { .now }
        /// Waits on the loop; returns early if the caller is cancelled.
        var sleep: @Sendable (Duration, EventLoop) async -> Void = { duration, loop in
            try? await loop.sleep(for: duration)
        }
    }

    private struct State {
        var tasks: [Int: Task<Void, Never>] = [:]
        var last = 0
        var isStopped = false
    }

    let loop: EventLoop
    private let clock: Clock
    private let state = Lock(State())

    init(loop: EventLoop, clock: Clock = Clock()) { (self.loop, self.clock) = (loop, clock) }

    /// Starts `body`. It is cancelled when the gateway stops; work left undone is found in the store again.
    /// - Returns: false if the gateway has stopped: `body` is not called.
    @discardableResult
    func start(_ body: @escaping @Sendable () async -> Void) -> Bool {
        state.withLock { state in
            guard !state.isStopped else { return false }
            state.last += 1
            let number = state.last
            state.tasks[number] = loop.spawn {
                await body()
                self.state.withLock { $0.tasks[number] = nil }
            }
            return true
        }
    }

    /// Cancels all running work and waits for it to end.
    func stop() async {
        let tasks = state.withLock { state in
            state.isStopped = true
            return Array(state.tasks.values)
        }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }

    // MARK: Time

    /// The current time.
    var now: MonotonicTime { clock.now() }

    /// Waits until `time`; returns false if the gateway stops first.
    func sleep(until time: MonotonicTime) async -> Bool { await sleep(for: time - now) }

    /// Waits for `duration`; returns false if the gateway stops first.
    func sleep(for duration: Duration) async -> Bool {
        if duration > .zero { await clock.sleep(duration, loop) }
        return !Task.isCancelled
    }
}
