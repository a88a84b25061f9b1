internal import Base
internal import Dispatch

/// Runs groups of writes on the writer's thread, makes them durable, and finishes them.
protocol Commits<Connection>: AnyObject {
    associatedtype Connection: StoreConnection

    /// Runs a group of writes. Each of them is finished when it is as durable as it asks for.
    func perform(_ batch: [Work<Connection>])
    /// When ``tend()`` must be called next if no more writes come; nil if it need not be.
    var due: DispatchTime? { get }
    /// Does what is due.
    func tend()
    /// Does what must not be left for the next start, and closes the statements.
    func end()
}

/// Counts groups of writes. Shared by the writer's thread and whoever asks for statistics.
struct CommitCounts: Sendable {
    private let counts = Lock(StoreStatistics())

    var values: StoreStatistics { counts.withLock { $0 } }

    func fail() { counts.withLock { $0.failures += 1 } }

    /// Counts a group of writes that took from `start` until now.
    func count(_ writes: Int, since start: DispatchTime) {
        let seconds = Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e9
        counts.withLock { counts in
            counts.commits += 1
            counts.commitSeconds.record(seconds)
            counts.writesPerCommit.record(Double(writes))
        }
    }

    func note(logBytes: Int) { counts.withLock { $0.logBytes = logBytes } }
}
