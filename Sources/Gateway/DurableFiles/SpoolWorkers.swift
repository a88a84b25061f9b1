internal import Base
internal import Dispatch

/// The threads that block on the disk, so that no event loop does. A thread is taken when there is work, and released
/// when there is none.
final class SpoolWorkers: Sendable {
    private struct State {
        var waiting: [@Sendable () -> Void] = []
        var idle: [Int]
    }

    private let state: Lock<State>
    private let lanes: [DispatchQueue]

    /// - Parameter concurrency: how many pieces of work run at the same time.
    init(concurrency: Int) {
        lanes = (0..<concurrency).map { DispatchQueue(label: "kling-gateway.spool.\($0)") }
        state = Lock(State(idle: Array(0..<concurrency)))
    }

    /// Runs `body` after the work queued before it, and waits for it. A cancelled caller also waits: the work is
    /// done anyway.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(SpoolError) -> Value
    ) async throws(SpoolError) -> Value {
        // Locked, though the two threads take turns: the thread sanitizer doesn't see how a task is resumed.
        let outcome = Lock<Result<Value, SpoolError>>(.failure(SpoolError(.unavailable, "the work was never run")))
        await withCheckedContinuation { waiter in
            submit {
                let result = Result(catching: body)
                outcome.withLock { $0 = result }
                waiter.resume()
            }
        }
        return try outcome.withLock { $0 }.get()
    }

    /// Runs `work` after the work queued before it.
    func submit(_ work: @escaping @Sendable () -> Void) {
        let lane = state.withLock { state in
            state.waiting.append(work)
            return state.idle.popLast()
        }
        if let lane { lanes[lane].async { self.drain(lane) } }
    }

    private func drain(_ lane: Int) {
        while let work = next(lane) { work() }
    }

    private func next(_ lane: Int) -> (@Sendable () -> Void)? {
        state.withLock { state in
            if state.waiting.isEmpty {
                state.idle.append(lane)
                return nil
            }
            return state.waiting.removeFirst()
        }
    }
}
