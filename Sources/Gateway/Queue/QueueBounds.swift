internal import TaskStore

/// How much the queue holds. What is being tried counts until it is out.
public struct QueueBounds: Sendable, Equatable {
    /// How many tasks.
    var tasks: Int
    /// How many bytes of their bodies.
    var bytes: Int
    /// How old a task may get, in milliseconds.
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
    /// When it was queued, in milliseconds since 1970: its age counts on over a restart.
    let enqueuedAt: Int64
    /// The only account that may have it; nil: any.
    var account: String?
    /// Accounts that don't take such a request, by name.
    var excluding: Set<String> = []

    /// What it waits for.
    var need: QueueNeed { QueueNeed(model: model, account: account, excluding: excluding) }
}

/// What a queued task waits for. Those of equal need stand in one lane.
struct QueueNeed: Sendable, Hashable {
    let model: String
    /// The only account that will do; nil: any.
    let account: String?
    /// Accounts that will not do, by name.
    var excluding: Set<String> = []
}

/// Room for tasks that are about to be queued.
struct QueueReservation: Sendable, Equatable {
    fileprivate(set) var tasks: Int
    fileprivate(set) var bytes: Int
}

/// Why a task isn't queued.
enum QueueRefusal: Error, Equatable {
    /// As many tasks wait as may.
    case tasks
    /// The bodies that wait leave no room for this one.
    case bytes
}

/// What is taken of the bounds: by tasks in the queue, and by those about to be.
struct QueueRoom: Sendable {
    let bounds: QueueBounds
    private(set) var tasks = 0
    private(set) var bytes = 0

    init(_ bounds: QueueBounds) { self.bounds = bounds }

    /// Takes room, if there is enough for all of it.
    mutating func reserve(tasks: Int, bytes: Int) throws(QueueRefusal) -> QueueReservation {
        guard tasks <= bounds.tasks - self.tasks else { throw .tasks }
        guard bytes <= bounds.bytes - self.bytes else { throw .bytes }
        take(tasks: tasks, bytes: bytes)
        return QueueReservation(tasks: tasks, bytes: bytes)
    }

    /// Takes room without asking: what was promised before a restart stays promised.
    mutating func take(tasks: Int, bytes: Int) {
        self.tasks += tasks
        self.bytes += bytes
    }

    /// Gives room back.
    mutating func free(tasks: Int, bytes: Int) {
        precondition(tasks <= self.tasks && bytes <= self.bytes, "more room was given back than was taken")
        self.tasks -= tasks
        self.bytes -= bytes
    }
}
