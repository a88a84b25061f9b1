/// What outlives a server of the creates whose answers were not read: see ``UnreadCreates``.
///
/// As for every function of the store: what a write returns is on the disk; any thread may call.
public protocol ResendStore: Sendable {
    /// What the server of that name kept last; nil: nothing.
    func unread(server: String) async throws(StoreError) -> UnreadCreates?

    /// Keeps which creates are unread, in place of what the server kept before.
    /// - Parameters:
    ///   - unread: names the first tasks of those that are unread. Called on a thread of the store's, in the transaction:
    ///     every create that was written before is named by it, or was read.
    ///   - time: milliseconds since 1970.
    func keep(
        unread: @escaping @Sendable () -> [TaskID], server: String, at time: Int64
    ) async throws(StoreError)

    /// The creates with content that were, or may have been, unread when that was kept, oldest first.
    /// - Parameters:
    ///   - unread: what was kept last; nil: every create with content counts as unread.
    ///   - limit: how many of those that were written after it; the newest.
    func creates(leftBy unread: UnreadCreates?, limit: Int) async throws(StoreError) -> [TaskRecord]
}

/// The creates of a server whose answers their clients have not read so far.
///
/// A create is unread from its first write on. So at any later time those are unread that are named here, and those that
/// were written after it was kept.
public struct UnreadCreates: Sendable, Equatable {
    /// The last task that had been written then, by the order of writing. Ids do not tell: a clock may be set back.
    public var writtenThrough: Int64
    /// The first tasks of those that are unread.
    public var tasks: [TaskID]
}
