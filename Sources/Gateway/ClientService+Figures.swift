internal import Base

/// Figures for the operator and for the shutdown.
extension ClientService {
    /// How many creates are in flight at Kling. They continue after their clients have left, and a shutdown waits for
    /// them.
    public var openCreates: Int { tasks.attempts.inFlight.withLock { $0 } }

    /// The pictures that Kling got as links.
    public var hostedPictureFigures: HostedPictureFigures {
        tasks.ledger.hosted?.figures ?? HostedPictureFigures(count: 0, bytes: 0)
    }

    /// The tasks that wait, and those that need the operator's attention.
    public var taskFigures: TaskFigures {
        var figures = TaskFigures()
        (figures.stuck, figures.unknown) = tasks.flagged.withLock { ($0.stuck, $0.unknown) }
        figures.attachedCreates = tasks.resends?.attached ?? 0
        guard let queue = tasks.ledger.queue?.figures else { return figures }
        (figures.queued, figures.queuedBytes) = (queue.tasks, queue.bytes)
        figures.oldestQueuedSeconds = queue.oldest.map { tasks.clock.age(since: $0).seconds } ?? 0
        figures.longestQueuedSeconds = tasks.ledger.queue?.maxAge.seconds
        return figures
    }

    /// What tenants have used of their budgets, those used most first. At most a few seconds old for up to 100 tenants
    /// with budgets.
    public var budgetFigures: [BudgetFigures] { tasks.budgets.withLock { $0 } }
}
