import Base

/// How many creates have begun, for actors that wait until the load has reached a point.
final class Progress: Sendable {
    private struct State {
        var begun = 0
        var isOver = false
        var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []

        /// Removes the waiters that are due, and returns them.
        mutating func due() -> [CheckedContinuation<Void, Never>] {
            let due = waiters.filter { isOver || begun >= $0.count }
            waiters.removeAll { isOver || begun >= $0.count }
            return due.map(\.continuation)
        }
    }

    private let state = Lock(State())

    var begun: Int { state.withLock { $0.begun } }
    /// Whether no more creates are made.
    var isOver: Bool { state.withLock { $0.isOver } }

    /// Records that a create has begun.
    func begin() {
        let due = state.withLock { state in
            state.begun += 1
            return state.due()
        }
        for continuation in due { continuation.resume() }
    }

    /// Records that all creates are done.
    func finish() {
        let due = state.withLock { state in
            state.isOver = true
            return state.due()
        }
        for continuation in due { continuation.resume() }
    }

    /// Waits until `count` creates have begun or all are done.
    func reach(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isDue = state.withLock { state in
                if state.isOver || state.begun >= count { return true }
                state.waiters.append((count, continuation))
                return false
            }
            if isDue { continuation.resume() }
        }
    }
}
