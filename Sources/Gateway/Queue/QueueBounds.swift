internal import TaskStore

/// How much the queue may hold. A task that is being tried counts until it is removed.
public struct QueueBounds: Sendable, Equatable {
    /// The most tasks.
    var tasks: Int
    /// The most bytes of their bodies.
    var bytes: Int
    /// The age at which a task expires, in milliseconds.
    var maxAge: Int64

    public init(tasks: Int, bytes: Int, maxAge: Int64) {
        self.tasks = tasks
        self.bytes = bytes
        self.maxAge = maxAge
    }
}

/// A create that waits for an account with room.
struct QueuedTask: Sendable, Equatable {
    let task: TaskID
    let tenant: String
    let model: String
    /// The size of its body.
    let bytes: Int
    /// When it was queued, in milliseconds since 1970, so that its age continues across a restart.
    let enqueuedAt: Int64
    /// The only account that may run it; nil: any.
    var account: String?
    /// The names of accounts that don't take this request.
    var excluding: Set<String> = []

    /// What it waits for.
    var need: QueueNeed { QueueNeed(model: model, account: account, excluding: excluding) }
}

/// What a queued task waits for. A tenant's tasks with equal needs share a lane.
struct QueueNeed: Sendable, Hashable {
    let model: String
    /// The only account that will do; nil: any.
    let account: String?
    /// The names of accounts that will not do.
    var excluding: Set<String> = []
}

/// Room for tasks that are about to be queued.
struct QueueReservation: Sendable, Equatable {
    fileprivate(set) var tasks: Int
    fileprivate(set) var bytes: Int
}

/// Why a task isn't queued.
enum QueueRefusal: Error, Equatable {
    /// The queue has as many tasks as it may hold.
    case tasks
    /// The queued bodies leave no room for this one.
    case bytes
}

/// The part of the bounds that is in use, by queued tasks and by reservations.
struct QueueRoom: Sendable {
    let bounds: QueueBounds
    private(set) var tasks = 0
    private(set) var bytes = 0

    init(_ bounds: QueueBounds) { self.bounds = bounds }

    /// Takes room for all of it; throws if there isn't enough.
    mutating func reserve(tasks: Int, bytes: Int) throws(QueueRefusal) -> QueueReservation {
        guard tasks <= bounds.tasks - self.tasks else { throw .tasks }
        guard bytes <= bounds.bytes - self.bytes else { throw .bytes }
        take(tasks: tasks, bytes: bytes)
        return QueueReservation(tasks: tasks, bytes: bytes)
    }

    /// Takes room without checking the bounds: tasks that were accepted before a restart stay in the queue.
    mutating func take(tasks: Int, bytes: Int) {
        self.tasks += tasks
        self.bytes += bytes
    }

    /// Releases room.
    mutating func free(tasks: Int, bytes: Int) {
        precondition(tasks <= self.tasks && bytes <= self.bytes, "more room was given back than was taken")
        self.tasks -= tasks
        self.bytes -= bytes
    }
}
