internal import Base
internal import Dispatch

/// Threads that process pictures, so that event loops don't have to. A thread is acquired when there is work, and
/// released when there is none.
public final class PictureWorkers: Sendable {
    /// Why work was not started.
    public enum Refusal: Error, Sendable, Hashable {
        /// The maximum amount of work is already waiting.
        case full
        /// The workers have been stopped.
        case stopped
    }

    private struct State {
        var waiting: [@Sendable (_ isStopped: Bool) -> Void] = []
        var idle: [Int]
        var isStopped = false
    }

    private let state: Lock<State>
    private let lanes: [DispatchQueue]
    private let room: Int

    /// - Parameters:
    ///   - concurrency: how many pieces of work run at the same time; each may hold ``PictureLimits/decodingBytes``.
    ///   - room: how many more may wait.
    public init(concurrency: Int = 2, room: Int = 64) {
        lanes = (0..<concurrency).map { DispatchQueue(label: "kling-gateway.pictures.\($0)") }
        self.room = room
        state = Lock(State(idle: Array(0..<concurrency)))
    }

    /// Runs `body` after the work that is already waiting, and returns its result. Work that has started runs to its
    /// end, even if the caller is cancelled.
    public func run<Value: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Refusal) -> Result<Value, Failure> {
        // The worker has written this before the task is resumed, but the thread sanitizer doesn't see that order. So
        // it needs a lock.
        let outcome = Lock<Result<Value, Failure>?>(nil)
        let refusal = await withCheckedContinuation { (waiter: CheckedContinuation<Refusal?, Never>) in
            let refusal = submit { isStopped in
                if !isStopped {
                    let result = Result(catching: body)
                    outcome.withLock { $0 = result }
                }
                waiter.resume(returning: isStopped ? .stopped : nil)
            }
            if let refusal { waiter.resume(returning: refusal) }
        }
        if let refusal { throw refusal }
        guard let result = outcome.withLock({ $0 }) else { throw .stopped }
        return result
    }

    /// Refuses waiting and future work; work that has started runs to its end. Can be called from any thread.
    public func stop() {
        let refused = state.withLock { state in
            state.isStopped = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for work in refused { work(true) }
    }

    private func submit(_ work: @escaping @Sendable (_ isStopped: Bool) -> Void) -> Refusal? {
        let (lane, refusal) = state.withLock { state -> (Int?, Refusal?) in
            if state.isStopped { return (nil, .stopped) }
            if state.idle.isEmpty, state.waiting.count >= room { return (nil, .full) }
            state.waiting.append(work)
            return (state.idle.popLast(), nil)
        }
        if let lane { lanes[lane].async { self.drain(lane) } }
        return refusal
    }

    private func drain(_ lane: Int) {
        while let work = next(lane) { work(false) }
    }

    private func next(_ lane: Int) -> (@Sendable (_ isStopped: Bool) -> Void)? {
        state.withLock { state in
            if state.waiting.isEmpty {
                state.idle.append(lane)
                return nil
            }
            return state.waiting.removeFirst()
        }
    }
}
