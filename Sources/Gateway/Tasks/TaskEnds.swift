internal import Base
internal import EventLoop
internal import TaskStore

/// Wakes whoever waits for the end of tasks. From any thread.
///
/// Register first, then look what has ended already, then wait: no end is missed.
final class TaskEnds: Sendable {
    private struct Waiter {
        var left: Set<TaskID>
        var isOver = false
        var continuation: CheckedContinuation<Void, Never>?
    }

    private struct State {
        var waiters: [Int: Waiter] = [:]
        var tickets: [TaskID: Set<Int>] = [:]
        var last = 0
    }

    private let state = Lock(State())

    /// How many wait.
    var count: Int { state.withLock { $0.waiters.count } }

    /// Begins to note the ends of tasks. Every ticket must be given back by ``wait(_:until:on:)``.
    func register(_ tasks: [TaskID]) -> Int {
        state.withLock { state in
            state.last += 1
            state.waiters[state.last] = Waiter(left: Set(tasks), isOver: tasks.isEmpty)
            for task in tasks { state.tickets[task, default: []].insert(state.last) }
            return state.last
        }
    }

    /// A task has ended.
    func ended(_ task: TaskID) {
        let woken = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            if state.tickets.isEmpty { return [] }
            var woken: [CheckedContinuation<Void, Never>] = []
            for ticket in state.tickets.removeValue(forKey: task) ?? [] {
                state.waiters[ticket]?.left.remove(task)
                guard state.waiters[ticket]?.left.isEmpty == true else { continue }
                if let waiter = Self.finish(ticket, &state) { woken.append(waiter) }
            }
            return woken
        }
        for waiter in woken { waiter.resume() }
    }

    /// Waits until all of a ticket's tasks have ended, until `deadline`, or until the caller is cancelled.
    /// - Parameter loop: the caller's.
    func wait(_ ticket: Int, until deadline: MonotonicTime, on loop: EventLoop) async {
        let timer = Timer(loop: loop) { [weak self] in self?.leave(ticket) }
        timer.arm(after: max(.zero, deadline - .now))
        defer {
            timer.cancel()
            giveBack(ticket)
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isOver = state.withLock { state in
                    if state.waiters[ticket]?.isOver != false { return true }
                    state.waiters[ticket]?.continuation = waiter
                    return false
                }
                if isOver { waiter.resume() }
            }
        } onCancel: {
            leave(ticket)
        }
    }

    private func leave(_ ticket: Int) {
        state.withLock { Self.finish(ticket, &$0) }?.resume()
    }

    private static func finish(_ ticket: Int, _ state: inout State) -> CheckedContinuation<Void, Never>? {
        state.waiters[ticket]?.isOver = true
        return state.waiters[ticket]?.continuation.take()
    }

    private func giveBack(_ ticket: Int) {
        state.withLock { state in
            for task in state.waiters.removeValue(forKey: ticket)?.left ?? [] {
                state.tickets[task]?.remove(ticket)
                if state.tickets[task]?.isEmpty == true { state.tickets[task] = nil }
            }
        }
    }
}
