internal import Base
internal import EventLoop
internal import TaskStore

/// Wakes callers that wait for tasks to end. Any thread may call any function.
///
/// To miss no end, register first, then check which tasks have already ended, then wait.
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
        var total: UInt64 = 0
    }

    private let state = Lock(State())

    /// How many callers wait.
    var count: Int { state.withLock { $0.waiters.count } }

    /// How many ends were recorded.
    var total: UInt64 { state.withLock { $0.total } }

    /// Starts to record the ends of tasks. Pass every returned ticket to ``wait(_:until:)``, which releases it.
    func register(_ tasks: [TaskID]) -> Int {
        state.withLock { state in
            state.last += 1
            state.waiters[state.last] = Waiter(left: Set(tasks), isOver: tasks.isEmpty)
            for task in tasks { state.tickets[task, default: []].insert(state.last) }
            return state.last
        }
    }

    /// Records that a task has ended, and wakes the callers that waited only for it.
    func ended(_ task: TaskID) {
        let woken = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.total += 1
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
    func wait(_ ticket: Int, until deadline: MonotonicTime) async {
        let timer = Timer { [weak self] in self?.leave(ticket) }
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
