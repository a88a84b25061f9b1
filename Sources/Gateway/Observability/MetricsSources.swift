public import TaskStore

/// The figures of other parts that ``Metrics/exposition(of:)`` shows. Each source is called once per page, on the
/// caller's thread, and must not block. A family whose source is `nil` is left out.
public struct MetricsSources: Sendable {
    /// The listener's connections.
    public var connections: (@Sendable () -> ConnectionFigures)?
    /// The memory for request bodies.
    public var bodies: (@Sendable () -> BodyFigures)?
    /// The upstream accounts.
    public var accounts: (@Sendable () -> [AccountFigures])?
    /// How many creates wait for a slot of an account.
    public var waitingCreates: (@Sendable () -> Int)?
    /// The tasks that wait, and those that need the operator's attention.
    public var tasks: (@Sendable () -> TaskFigures)?
    /// What tenants have used of their budgets, at most ``BudgetFigures/most``, those used most first.
    public var budgets: (@Sendable () -> [BudgetFigures])?
    /// The store.
    public var store: (@Sendable () -> StoreStatistics)?
    /// Callbacks to clients.
    public var deliveries: (@Sendable () -> DeliveryFigures)?
    /// The pictures that Kling got as links.
    public var hostedPictures: (@Sendable () -> HostedPictureFigures)?
    /// The alerts of operators.
    public var alerts: (@Sendable () -> AlertCounts)?
    /// How many log lines were dropped because the log's buffer was full.
    public var droppedLogLines: (@Sendable () -> UInt64)?

    /// Creates sources that are all `nil`.
    public init() {}
}

/// The tasks that wait, those that need the operator's attention, and the creates that got another one's answer.
public struct TaskFigures: Sendable {
    /// Tasks in the queue, including those being sent.
    public var queued = 0
    /// The bytes of their bodies.
    public var queuedBytes = 0
    /// How long the oldest waiting task has waited, in seconds.
    public var oldestQueuedSeconds = 0.0
    /// How long a task may wait, in seconds; nil: there is no queue.
    public var longestQueuedSeconds: Double?
    /// Unfinished tasks that Kling has sent no news of for a day, as last counted.
    public var stuck = 0
    /// Unfinished tasks whose outcome can't be found out, as last counted.
    public var unknown = 0
    /// Creates that got the unread answer of an earlier one.
    public var attachedCreates: UInt64 = 0

    /// Creates figures that are all zero.
    public init() {}
}

/// The alerts that are raised, and what became of those that were sent to the operator's webhook.
public struct AlertCounts: Sendable {
    /// How many alerts of each kind are raised; the kinds are a closed set of words.
    public var raised: [(kind: String, count: Int)] = []
    /// How many the webhook has answered with 2xx since the start.
    public var delivered: UInt64 = 0
    /// How many it did not get.
    public var lost: UInt64 = 0

    /// Creates counts without any alert.
    public init() {}
}

/// The connections of a listener.
public struct ConnectionFigures: Sendable {
    /// Open now.
    public var open: Int
    /// Accepted since the start, including refused ones.
    public var accepted: UInt64
    /// Refused since the start, by reason; the reasons are a closed set of words.
    public var refused: [(reason: String, count: UInt64)]
    /// Idle connections closed to make room for new ones since the start.
    public var closedForRoom: UInt64

    /// Creates figures.
    public init(
        open: Int, accepted: UInt64, refused: [(reason: String, count: UInt64)], closedForRoom: UInt64 = 0
    ) {
        self.open = open
        self.accepted = accepted
        self.refused = refused
        self.closedForRoom = closedForRoom
    }
}

/// The memory that request bodies hold.
public struct BodyFigures: Sendable {
    /// Bytes reserved.
    public var used: Int
    /// Bytes that may be reserved.
    public var limit: Int
    /// Bodies that wait for memory.
    public var waiting: Int

    /// Creates figures.
    public init(used: Int, limit: Int, waiting: Int) {
        self.used = used
        self.limit = limit
        self.waiting = waiting
    }
}
