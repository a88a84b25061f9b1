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

    /// Returns the newest unread create of a tenant with that content at another process that serves from the store;
    /// nil if there is none.
    /// - Parameters:
    ///   - time: only creates written at this time or later, in milliseconds since 1970.
    ///   - suspects: processes that may have ended: all of their creates count as ``ForeignCreate/isOpen``.
    func create(
        elsewhere tenant: String, content: ContentDigest, since time: Int64, suspects: Set<Int64>
    ) async throws(StoreError) -> ForeignCreate?

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

/// An unread create of another process.
public struct ForeignCreate: Sendable, Equatable {
    /// Its first task.
    public let task: TaskID
    /// The process that it belongs to.
    public let owner: Int64
    /// Whether its client has left, or cannot have read the answer. Otherwise the client may still wait for it.
    public let isOpen: Bool
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
