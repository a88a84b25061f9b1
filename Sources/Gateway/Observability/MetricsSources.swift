public import TaskStore

/// Where ``Metrics/exposition(of:)`` reads what others count: called once for each page, on the caller's thread; they
/// must not block. A family whose source is `nil` is left out.
public struct MetricsSources: Sendable {
    /// The listener's connections.
    public var connections: (@Sendable () -> ConnectionFigures)?
    /// The memory for request bodies.
    public var bodies: (@Sendable () -> BodyFigures)?
    /// The upstream accounts.
    public var accounts: (@Sendable () -> [AccountFigures])?
    /// How many creates wait for a slot of an account.
    public var waitingCreates: (@Sendable () -> Int)?
    /// The tasks that wait, and those that an operator should look at.
    public var tasks: (@Sendable () -> TaskFigures)?
    /// The store.
    public var store: (@Sendable () -> StoreStatistics)?
    /// Callbacks to clients.
    public var deliveries: (@Sendable () -> DeliveryFigures)?
    /// The pictures that Kling was given links of.
    public var hostedPictures: (@Sendable () -> HostedPictureFigures)?
    /// How many log lines found the log's buffer full.
    public var droppedLogLines: (@Sendable () -> UInt64)?

    /// No source at all.
    public init() {}
}

/// Tasks that have not gone the usual way.
public struct TaskFigures: Sendable {
    /// In the queue, those that are being sent included.
    public var queued = 0
    /// The bytes of their bodies.
    public var queuedBytes = 0
    /// How long the oldest of those that wait has waited, in seconds.
    public var oldestQueuedSeconds = 0.0
    /// Unknown to Kling for a day, or of an outcome that nobody can find out; as last counted.
    public var flagged = 0
    /// Creates that were given an earlier one's answer, because nobody had read that.
    public var attachedCreates: UInt64 = 0

    /// None.
    public init() {}
}

/// What a listener's connections are doing.
public struct ConnectionFigures: Sendable {
    /// Open now.
    public var open: Int
    /// Accepted since the start, refused ones included.
    public var accepted: UInt64
    /// Refused since the start, by reason: a closed set of words.
    public var refused: [(reason: String, count: UInt64)]
    /// Idle ones that were closed for new ones since the start.
    public var closedForRoom: UInt64

    /// Puts the figures together.
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
    /// Bodies that wait for their share.
    public var waiting: Int

    /// Puts the figures together.
    public init(used: Int, limit: Int, waiting: Int) {
        self.used = used
        self.limit = limit
        self.waiting = waiting
    }
}
