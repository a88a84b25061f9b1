public import Hashing

/// The unread creates of a server, kept so that they survive the process: see ``UnreadCreates``.
///
/// As everywhere in the store, a write is on disk when it returns, and any thread may call.
public protocol ResendStore: Sendable {
    /// Returns what the server of that name stored last; nil if nothing.
    func unread(server: String) async throws(StoreError) -> UnreadCreates?

    /// Stores which creates are unread, replacing what the server stored before.
    /// - Parameters:
    ///   - unread: returns the unread creates. Called on a store thread inside the transaction, when every create written
    ///     before is in the list or was read; again if the transaction is repeated.
    ///   - time: milliseconds since 1970.
    func saveUnread(
        _ unread: @escaping @Sendable () -> UnreadTasks, server: String, at time: Int64
    ) async throws(StoreError)

    /// Returns the newest creates of a tenant with that content at other processes that serve from the store, at most
    /// eight, newest first.
    /// - Parameters:
    ///   - time: only creates written at this time or later, in milliseconds since 1970.
    ///   - suspects: processes that may have ended: all of their creates that were not read count as open.
    func creates(
        elsewhere tenant: String, content: ContentDigest, since time: Int64, suspects: Set<Int64>
    ) async throws(StoreError) -> [ForeignCreate]

    /// Forgets the content of a create, whose answer was read, so that no other create counts as the same. The process
    /// that it belongs to is told.
    func forgetContent(of task: TaskID) async throws(StoreError)

    /// Returns the creates with content that are, or may be, unread according to what was stored, oldest first.
    /// - Parameters:
    ///   - unread: what was stored last; nil: every create with content counts as unread.
    ///   - limit: the maximum number of creates written after that; the newest are returned.
    func creates(leftBy unread: UnreadCreates?, limit: Int) async throws(StoreError) -> [TaskRecord]
}

/// The first tasks of creates whose answers were not read yet.
public struct UnreadTasks: Sendable, Equatable {
    /// All of them.
    public var all: [TaskID]
    /// Those whose clients have left, or cannot have read the answer.
    public var open: [TaskID]

    public init(all: [TaskID], open: [TaskID] = []) { (self.all, self.open) = (all, open) }
}

/// A create of another process.
public struct ForeignCreate: Sendable, Equatable {
    public enum State: Sendable, Equatable {
        /// Its client may still wait for the answer.
        case answering
        /// Its client has left, or cannot have read the answer.
        case open
        /// Its client has read the answer.
        case read
    }

    /// Its first task.
    public let task: TaskID
    /// The task's row. Of creates with the same content, later ones have higher rows.
    public let row: Int64
    public let state: State

    public init(task: TaskID, row: Int64, state: State) { (self.task, self.row, self.state) = (task, row, state) }
}

/// The creates of other processes that a new one may be the same as. If one of them was written since they were looked at,
/// the new one is refused.
public struct RivalCreates: Sendable, Equatable {
    /// Only creates written at this time or later count, in milliseconds since 1970.
    public var since: Int64
    /// The row of the last one that was looked at; 0 if there was none.
    public var seenThrough: Int64

    public init(since: Int64, seenThrough: Int64) { (self.since, self.seenThrough) = (since, seenThrough) }
}

/// A server's creates whose answers their clients have not read yet.
///
/// A create is unread from its first write on. At any later time, the unread creates are therefore among those named
/// here and those written after this was stored.
public struct UnreadCreates: Sendable, Equatable {
    /// The row of the last task written before this was stored. Ids do not tell the order, because a clock may be set
    /// back.
    public var writtenThrough: Int64
    /// The first task of each unread create.
    public var tasks: [TaskID]
    /// Those of ``tasks`` whose clients have left, or cannot have read the answer.
    public var open: Set<TaskID> = []
}
