/// Tasks of one loop that do one piece of work after another. Loop-confined.
///
/// A task gives back the memory of its asynchronous frames only when it ends. Starting one for each piece of work means
/// that all of it is allocated each time: twenty blocks for a deep call.
final class TaskPool: @unchecked Sendable {
    // @unchecked: all state is only accessed on the loop's thread, where the pool's tasks run, too.

    /// One task, and what it does next. Loop-confined, like the pool.
    @safe fileprivate final class Worker: @unchecked Sendable {
        // @unchecked: as for the pool.
        var work: (@Sendable () async -> Void)?
        /// The number of the work in progress, so that a late cancellation does not reach the next one.
        var number = 0
        var task: Task<Void, Never>?
        let slot = WorkLabel.Slot()
        var isShielded = false
        /// Whether the work was cancelled while it was shielded.
        var isCancellationDue = false
        /// Resumed once, by `wake`, when there is work or the pool closes.
        private var waiter: UnsafeContinuation<Void, Never>?

        /// Suspends the worker's task until `wake`, which may be called once `isReady` is.
        func wait(_ isReady: () -> Void) async {
            unsafe await withUnsafeContinuation {
                unsafe waiter = $0
                isReady()
            }
        }

        func wake() { unsafe waiter.take()?.resume() }
    }

    private var idle: [Worker] = []
    private var isClosed = false

    /// How many tasks are kept for further work; each holds about 20 KB.
    private static let mostIdle = 64

    /// Runs `work` in a task that has done other work before, if one is idle, otherwise in a new one.
    func run(on loop: EventLoop, _ work: @escaping @Sendable () async -> Void) -> PooledTask {
        if let worker = idle.popLast() {
            worker.work = work
            worker.wake()
            return PooledTask(loop: loop, worker: worker, number: worker.number)
        }
        let worker = Worker()
        worker.work = work
        // Detached: the task-local values of the first work must not reach the ones after it.
        worker.task = Task.detached(executorPreference: loop) { [self] in
            await WorkLabel.$slot.withValue(worker.slot) { await serve(worker) }
        }
        return PooledTask(loop: loop, worker: worker, number: worker.number)
    }

    private func serve(_ worker: Worker) async {
        while await finishWork(of: worker), keeps(worker) {
            await worker.wait { idle.append(worker) }
        }
    }

    /// Runs a worker's work. It is a function of its own, so that the work's captures are released when it ends.
    /// - Returns: false if there is none.
    private func finishWork(of worker: Worker) async -> Bool {
        guard let work = worker.work.take() else { return false }
        await work()
        worker.number += 1
        (worker.isShielded, worker.isCancellationDue, worker.slot.label) = (false, false, nil)
        return true
    }

    /// A cancelled task stays cancelled.
    private func keeps(_ worker: Worker) -> Bool { !isClosed && !Task.isCancelled && idle.count < Self.mostIdle }

    /// Ends the idle tasks, and the others after their work.
    func close() {
        isClosed = true
        for worker in idle { worker.wake() }
        idle = []
    }
}

/// Work that ``EventLoop/start(_:)`` has started. Use it on the loop's thread.
public struct PooledTask: Sendable {
    private let loop: EventLoop
    private let worker: TaskPool.Worker
    private let number: Int

    fileprivate init(loop: EventLoop, worker: TaskPool.Worker, number: Int) {
        (self.loop, self.worker, self.number) = (loop, worker, number)
    }

    /// Cancels the work, unless it has ended.
    public func cancel() {
        guard isRunning else { return }
        if worker.isShielded { worker.isCancellationDue = true } else { worker.task?.cancel() }
    }

    /// Puts off a cancellation until ``endShield()``, or until the work ends.
    public func beginShield() { if isRunning { worker.isShielded = true } }

    /// Carries out the cancellation that was put off, if there is one.
    public func endShield() {
        guard isRunning else { return }
        worker.isShielded = false
        if worker.isCancellationDue { worker.task?.cancel() }
    }

    private var isRunning: Bool {
        loop.assertCurrent()
        return worker.number == number
    }
}
