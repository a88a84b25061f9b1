internal import Base
internal import Dispatch

/// The threads that wait for the spool's disk, so that no loop does. One is taken when there is work, and let go of
/// when there is none.
final class SpoolWorkers: Sendable {
    private struct State {
        var waiting: [@Sendable () -> Void] = []
        var idle: [Int]
    }

    private let state: Lock<State>
    private let lanes: [DispatchQueue]

    /// - Parameter width: how many pieces of work are done at once.
    init(width: Int) {
        lanes = (0..<width).map { DispatchQueue(label: "kling-gateway.spool.\($0)") }
        state = Lock(State(idle: Array(0..<width)))
    }

    /// Does `body` behind what came before, and waits for it. A cancelled caller waits as well: the work is done.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(SpoolError) -> Value
    ) async throws(SpoolError) -> Value {
        // Behind a lock, though the two threads take turns: the thread sanitizer doesn't see how a task is resumed.
        let outcome = Lock<Result<Value, SpoolError>>(.failure(SpoolError(.unavailable, "the spool didn't get to it")))
        await withCheckedContinuation { waiter in
            submit {
                let result = Result(catching: body)
                outcome.withLock { $0 = result }
                waiter.resume()
            }
        }
        return try outcome.withLock { $0 }.get()
    }

    /// Does `work` behind what came before.
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
