internal import Base

/// What whoever operates or stops the gateway asks it.
extension Gateway {
    /// How many creates are under way at Kling. They go on when their clients have left: whoever stops waits for them.
    public var openCreates: Int { tasks.openCreates.withLock { $0 } }

    /// The pictures that Kling was given links of.
    public var hostedPictureFigures: HostedPictureFigures {
        tasks.hosted?.figures ?? HostedPictureFigures(count: 0, bytes: 0)
    }

    /// The tasks that wait, and those that an operator should look at.
    public var taskFigures: TaskFigures {
        var figures = TaskFigures()
        figures.flagged = tasks.flagged.withLock { $0 }
        figures.attachedCreates = tasks.resends?.attached ?? 0
        guard let queue = tasks.queue?.figures else { return figures }
        (figures.queued, figures.queuedBytes) = (queue.tasks, queue.bytes)
        figures.oldestQueuedSeconds = queue.oldest.map { tasks.clock.age(since: $0).seconds } ?? 0
        return figures
    }
}
