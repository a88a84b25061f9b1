internal import Hashing

/// The connections to a database, each on a thread of its own: what the parts of ``SQLTaskStore`` read and write
/// through.
protocol StorePool: Sendable {
    associatedtype Connection: StoreConnection

    /// Has the thread that writes run `body` in a transaction, and returns at once. `wait` ends when it is as durable as
    /// asked for.
    /// - Parameter subject: what `body` is about.
    func write(
        _ durability: Durability, _ subject: @autoclosure () -> WriteSubject, _ wait: StoreWait,
        _ body: @escaping StoreBody<Connection, Void>)

    /// Runs `body` on a thread that reads. It sees every write that has returned, unless the database cannot be written
    /// to: then it may see the state of a moment before.
    func read<Value: Sendable>(_ body: @escaping StoreBody<Connection, Value>) async throws(StoreError) -> Value

    /// Like ``read(_:)``, for one record. Does not deny a record that a write may have left.
    func find<Value: Sendable>(_ body: @escaping StoreBody<Connection, Value?>) async throws(StoreError) -> Value?

    /// Runs `body` on a thread that has nothing else to do and waits for no write. It sees every write that was
    /// `committed` when it returned.
    func readAtOnce<Value: Sendable>(_ body: @escaping StoreBody<Connection, Value>) async throws(StoreError) -> Value

    /// The processes that serve; nil if one serves alone.
    var replicas: (any ReplicaStore)? { get }
    /// Bodies too large for records, if the database has them.
    var blobs: (any BlobStore)? { get }

    /// The same pool, which adds an entry to the audit log with each write.
    func audited(_ entry: AuditEntry) -> Self

    /// Checks that the database can be read and written to.
    func check() async throws(StoreError)

    /// Finishes waiting writes and reads, refuses new ones, and closes the connections.
    func close() async

    /// Counts since the connections were opened.
    var statistics: StoreStatistics { get }
}

/// The body of a read or a write. A write's may run again, if its transaction has to be repeated.
typealias StoreBody<Connection, Value> = @Sendable (Connection) throws(StoreError) -> Value

extension StorePool {
    /// Runs `body` on the thread that writes, in a transaction. Returns when it is as durable as asked for.
    func write<Value: Sendable>(
        _ durability: Durability = .synced, _ subject: WriteSubject = .other,
        _ body: @escaping StoreBody<Connection, Value>
    ) async throws(StoreError) -> Value {
        try await StoreWait.value(of: body) { wait, body in write(durability, subject, wait, body) }
    }
}

/// How far a write must have got before its caller goes on.
enum Durability: Sendable, Comparable {
    /// It survives the process. It survives a power cut too, a few milliseconds later.
    case written
    /// It survives a power cut.
    case synced
    /// It survives a power cut, and every connection to the database sees it.
    case committed
}

/// What a write is about. A database that is reached over a network reads ahead what all writes of a transaction need,
/// and takes their locks in one order.
struct WriteSubject: Sendable {
    /// A task that exists.
    var task: TaskID?
    /// The tenant of new tasks.
    var tenant: String?
    /// New tasks that must not be the same as others.
    var rivals: [NewTask] = []
    /// What is locked until the transaction ends.
    var locks: [StoreLock] = []

    static let other = WriteSubject()

    static func task(_ id: TaskID, _ locks: StoreLock?...) -> WriteSubject {
        WriteSubject(task: id, locks: locks.compactMap(\.self))
    }

    static func new(_ task: NewTask) -> WriteSubject {
        WriteSubject(
            tenant: task.tenant, rivals: task.shared.rivals == nil ? [] : [task], locks: task.sharedLocks)
    }

    /// New tasks, which are all one tenant's.
    static func new(_ tasks: [NewTask]) -> WriteSubject {
        WriteSubject(
            tenant: tasks.first?.tenant, rivals: tasks.filter { $0.shared.rivals != nil },
            locks: tasks.flatMap(\.sharedLocks))
    }
}

/// What several processes change by reading it first: a process keeps the others from doing so at the same time.
enum StoreLock: Sendable, Hashable {
    /// A tenant's last number, budgets, usage and running tasks.
    case tenant(String)
    /// An account's running tasks.
    case account(String)
    /// Whether a tenant's creates with that content are the same one.
    case content(ContentDigest, tenant: String)
    /// How many more requests a key or a tenant may make.
    case rate(String)

    /// A name for the lock. Processes take locks in the order of their names.
    var name: String {
        switch self {
        case .account(let name): "account \(name)"
        case .content(let digest, let tenant): "content \(digest) \(tenant)"
        case .rate(let name): "rate \(name)"
        case .tenant(let name): "tenant \(name)"
        }
    }
}
