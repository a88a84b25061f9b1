internal import Base
internal import Dispatch

/// The loop of a thread that writes: it hands all waiting writes on as one group.
///
/// Under load, groups start at least a given time apart, unless enough writes are waiting: that turns many small groups
/// into a few large ones. Writes that come one at a time, like those of a single client, never wait.
enum WriteLoop {
    private static let batchLimit = 1024
    private static let enough = 48
    /// A group of this many writes means load.
    private static let load = 4

    /// Runs until the queue is closed and empty.
    /// - Parameter gathering: the minimum time between the starts of two groups while few writes are waiting.
    static func run<Connection>(
        _ queue: WorkQueue<Connection>, _ commits: any Commits<Connection>, gathering: Duration
    ) {
        let gathering = DispatchTimeInterval.microseconds(Int(gathering / .microseconds(1)))
        var batch: [Work<Connection>] = []
        var gather: DispatchTime?
        while true {
            let due = commits.due ?? .distantFuture
            switch queue.take(&batch, limit: batchLimit, gather: gather, enough: enough, idle: due) {
            case .closed: return commits.end()
            case .idle: commits.tend()
            case .work:
                let start = DispatchTime.now()
                commits.perform(batch)
                gather = batch.count >= load ? start + gathering : nil
                batch.removeAll(keepingCapacity: true)
            }
        }
    }
}
