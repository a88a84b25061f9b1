public import Base

/// The processes that serve from one store. Each owns the tasks that it has made: it alone sends, watches and settles
/// them, and delivers their callbacks.
///
/// If one dies, the others notice within two seconds, or five if its whole machine is lost, and one of them takes over its
/// tasks. A process that was only paused can then write nothing any more, and has to start anew.
public protocol ReplicaStore: Sendable {
    /// The number of this process. It is in the record of each task that the process owns, and never used again.
    var number: Int64 { get }

    /// The processes whose unfinished tasks this one took over before it served.
    var predecessors: [Int64] { get }

    /// Whether another process was among those that serve at any time since then.
    func hasSeenOthers(within time: Duration) -> Bool

    /// The row of the newest task of all processes at a time of the last ten seconds or so, or of somewhat before; 0 if that
    /// is unknown.
    func newestTask(at time: MonotonicTime) -> Int64

    /// Processes that may have ended, or stand still.
    var suspects: Set<Int64> { get }

    /// Whether it is certain that no other process has taken over this one's tasks. Check it right before doing what must
    /// be done once. Costs no call to the store.
    var isOwner: Bool { get }

    /// Has `body` called whenever something happens that this process must know. Any thread may call it, and it must
    /// return at once. What happened since this process joined is reported first, except for ``predecessors``.
    func observe(_ body: @escaping @Sendable (ReplicaEvent) -> Void)

    /// Counts the unfinished tasks that other processes run, by account.
    /// - Parameter time: only tasks created at this time or later, in milliseconds since 1970.
    func runningElsewhere(since time: Int64) async throws(StoreError) -> [String: Int]

    /// The processes that serve, by number.
    func all() async throws(StoreError) -> [ReplicaRecord]
}

/// What a process that shares its store must know.
public enum ReplicaEvent: Sendable, Equatable {
    /// These unfinished tasks, which another process owned, belong to this one now.
    case tookOver([TaskID], from: Int64)
    /// Another process has changed a task of this one.
    case taskChanged(TaskID)
    /// A key or a tenant's rules have changed.
    case keysChanged
    /// Another process has taken over the tasks of this one, which can write nothing any more.
    case wasReplaced
}

/// A process that serves.
public struct ReplicaRecord: Sendable, Equatable {
    public let number: Int64
    /// Its name, such as that of its host.
    public let name: String
    /// Milliseconds since 1970.
    public let startedAt: Int64
    /// The number of unfinished tasks that it owns.
    public let tasks: Int64
}
