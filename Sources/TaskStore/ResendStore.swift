/// What outlives a server of the creates whose answers were not read: see ``UnreadCreates``.
///
/// As for every function of the store: what a write returns is on the disk; any thread may call.
public protocol ResendStore: Sendable {
    /// What the server of that name kept last; nil: nothing.
    func unread(server: String) async throws(StoreError) -> UnreadCreates?

    /// Keeps what a server knows, in place of what it kept before.
    /// - Parameter time: milliseconds since 1970.
    func keep(_ unread: UnreadCreates, server: String, at time: Int64) async throws(StoreError)

    /// The creates with content that were, or may have been, unread when that was kept, oldest first.
    /// - Parameters:
    ///   - unread: what was kept last; nil: every create with content counts as unread.
    ///   - limit: how many of those that were begun after it; the newest.
    func creates(leftBy unread: UnreadCreates?, limit: Int) async throws(StoreError) -> [TaskRecord]
}

/// The creates of a server whose answers their clients have not read so far.
///
/// A create is unread from its first write on. So at any later time those are unread that are named here, and those that
/// were begun after it was kept.
public struct UnreadCreates: Sendable, Equatable {
    /// The last create that was begun.
    public var begunThrough: TaskID
    /// The first tasks of those that are unread.
    public var tasks: [TaskID]

    public init(begunThrough: TaskID, tasks: [TaskID]) {
        self.begunThrough = begunThrough
        self.tasks = tasks
    }
}
