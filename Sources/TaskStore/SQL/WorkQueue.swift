internal import Base
internal import Dispatch

/// A bounded queue of work from any thread to the store's threads, first in, first out.
///
/// A thread is woken once for a whole batch, only if it sleeps and only when enough work is waiting.
final class WorkQueue<Connection: SendableMetatype>: Sendable {
    private struct State {
        var waiting: [Work<Connection>] = []
        var sleepers = 0
        /// How much work must be waiting before a sleeping thread is woken.
        var wakeAt = 1
        var isClosed = false
    }

    private let capacity: Int
    private let state = Lock(State())
    private let bell = DispatchSemaphore(value: 0)

    init(capacity: Int) { self.capacity = capacity }

    /// How much work is waiting.
    var count: Int { state.withLock { $0.waiting.count } }

    /// Adds work at the end of the queue, or finishes it if the queue refuses it.
    func append(_ work: Work<Connection>) {
        let (isIn, rings) = state.withLock { state in
            guard !state.isClosed, state.waiting.count < capacity else { return (false, false) }
            state.waiting.append(work)
            return (true, Self.wakes(&state))
        }
        if rings { bell.signal() }
        if !isIn { work.finish(StoreError(.unavailable, "the store's queue is full or closed")) }
    }

    /// Refuses new work. Waiting work is still handed over.
    func close() {
        let sleepers = state.withLock { state in
            state.isClosed = true
            defer { state.sleepers = 0 }
            return state.sleepers
        }
        for _ in 0..<sleepers { bell.signal() }
    }

    /// Waits for work and moves it into `batch`, which must be empty; its storage is reused.
    /// - Parameters:
    ///   - limit: the maximum to hand over.
    ///   - gather: collect work until then, unless `enough` is waiting before or the queue closes.
    ///   - idle: until when to wait for the first piece of work.
    func take(
        _ batch: inout [Work<Connection>], limit: Int, gather: DispatchTime? = nil, enough: Int = 1,
        idle: DispatchTime = .distantFuture
    ) -> WorkCall {
        var gather = gather
        while true {
            let call = state.withLock { state -> WorkCall? in
                let isCollecting = gather != nil && state.waiting.count < enough && !state.isClosed
                if !isCollecting, !state.waiting.isEmpty { return Self.hand(&state, &batch, limit) }
                if state.isClosed { return .closed }
                state.sleepers += 1
                state.wakeAt = isCollecting ? enough : 1
                return nil
            }
            if let call { return call }
            if bell.wait(timeout: gather ?? idle) == .timedOut {
                // If the bell is signaled just now, the next wait returns at once and finds the state as it is.
                state.withLock { $0.sleepers = max(0, $0.sleepers - 1) }
                if gather == nil { return .idle }
                gather = nil
            }
        }
    }

    private static func wakes(_ state: inout State) -> Bool {
        guard state.sleepers > 0, state.waiting.count >= state.wakeAt else { return false }
        state.sleepers -= 1
        return true
    }

    private static func hand(_ state: inout State, _ batch: inout [Work<Connection>], _ limit: Int) -> WorkCall {
        if state.waiting.count <= limit {
            swap(&state.waiting, &batch)
        } else {
            batch.append(contentsOf: state.waiting.prefix(limit))
            state.waiting.removeFirst(limit)
        }
        return .work
    }
}

/// The result of waiting for work.
enum WorkCall {
    /// A batch was handed over.
    case work
    /// No work arrived before the thread's idle timeout.
    case idle
    /// The queue is closed and empty.
    case closed
}
