public import Base

/// Bodies that are too large for records: those of queued creates, and pictures. Every process that serves from the
/// store reaches all of them.
///
/// They are read and written apart from the records, so that a large body holds up no record. As everywhere in the
/// store, no function blocks its thread, and times are milliseconds since 1970.
public protocol BlobStore: Sendable {
    /// Writes a blob whole, in place of one with its name. When this returns, it survives a crash of the database's
    /// machine. The slices are written without being joined first.
    /// - Parameter bounds: what all blobs of the kind may be together. Blobs that are being written at the same moment
    ///   don't count.
    /// - Returns: false, and nothing was written, if there is no room.
    func write(_ blob: Blob, _ body: [ByteSlice], within bounds: BlobTotal) async throws(StoreError) -> Bool

    /// Reads a blob whole, into one block of memory.
    /// - Parameter holding: released together with the block, such as the memory's lease.
    /// - Returns: nil if there is none.
    func read(
        _ kind: BlobKind, _ name: String, holding: (any Sendable)?
    ) async throws(StoreError) -> Bytes?

    /// Describes a blob; nil if there is none.
    func find(_ kind: BlobKind, _ name: String) async throws(StoreError) -> StoredBlob?

    /// Describes all blobs of a kind, oldest first.
    /// - Parameter owner: whose blobs; nil: everyone's.
    func list(_ kind: BlobKind, owner: String?) async throws(StoreError) -> [StoredBlob]

    /// Adds up blobs of a kind.
    func total(_ kind: BlobKind, _ share: BlobShare) async throws(StoreError) -> BlobTotal

    /// Removes blobs, if they exist.
    func remove(_ kind: BlobKind, _ names: [String]) async throws(StoreError)

    /// Removes the blobs of a kind that are too old, and those of tasks that ended long ago or have no record.
    /// - Returns: the number of blobs removed.
    @discardableResult
    func expire(_ kind: BlobKind, createdBefore: Int64, tasksEndedBefore: Int64) async throws(StoreError) -> Int

    /// Removes the blobs of a kind whose tasks Kling has, or have ended, or have no record. It never removes a blob that
    /// may still have to be sent, if that was written after its task's record.
    /// - Parameter name: removes only the blob with this name; nil: any.
    /// - Returns: the number of blobs removed.
    @discardableResult
    func removeSent(_ kind: BlobKind, _ name: String?) async throws(StoreError) -> Int
}

/// What a blob is for.
public enum BlobKind: Int, Sendable, CaseIterable {
    /// The body of a queued create, under its task's id.
    case queued = 0
    /// A picture that Kling gets as a link.
    case hosted = 1
    /// A picture that a tenant has uploaded.
    case uploaded = 2
}

/// What is known about a blob.
public struct Blob: Sendable, Hashable {
    public let kind: BlobKind
    /// Tells it from others of its kind.
    public let name: String
    /// The task that it belongs to.
    public let task: TaskID?
    /// Whose blob it is, for sums; empty: no one's.
    public let owner: String
    public let createdAt: Int64
    public let bytes: Int

    public init(
        _ kind: BlobKind, _ name: String, task: TaskID? = nil, owner: String = "", createdAt: Int64, bytes: Int
    ) {
        self.kind = kind
        self.name = name
        self.task = task
        self.owner = owner
        self.createdAt = createdAt
        self.bytes = bytes
    }
}

/// A blob in the store.
public struct StoredBlob: Sendable, Hashable {
    public let blob: Blob
    /// The state of its task; nil if it has none, or that has no record.
    public let taskState: TaskState?
    /// When its task ended.
    public let taskEndedAt: Int64?
}

/// Which blobs are added up.
public enum BlobShare: Sendable, Equatable {
    case all
    /// Those that name this owner.
    case owner(String)
    /// Those of the tasks that belong to this process.
    case ownTasks
}

/// A number of blobs, and their bytes together.
public struct BlobTotal: Sendable, Hashable {
    public var count: Int
    public var bytes: Int

    public init(count: Int, bytes: Int) { (self.count, self.bytes) = (count, bytes) }
}
