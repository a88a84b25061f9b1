/// The outbox: callbacks that are to be sent to clients, written in the transaction that changed the task.
///
/// As for every function of the store: what a write returns is on the disk; any thread may call; times are milliseconds
/// since 1970.
public protocol DeliveryStore: Sendable {
    /// Deliveries whose time has come, at most one of each task: the oldest that waits. Of every tenant some, and of
    /// every receiver that it has, the longest due first: nobody's backlog hides another's, and what a reading costs
    /// depends on how many tenants and receivers there are, not on how much waits.
    /// - Parameter position: where the reading before has ended.
    func dueDeliveries(
        at time: Int64, from position: OutboxPosition, _ bounds: OutboxBounds
    ) async throws(StoreError) -> OutboxPage

    /// When the next delivery falls due; nil: none waits.
    func nextDelivery() async throws(StoreError) -> Int64?

    /// Takes a delivery for one attempt: until `lease` has passed nobody else is given it, and if the attempt is never
    /// settled, because the process died, it falls due again then.
    /// - Parameters:
    ///   - attempts: how many there were when it was read; the attempt that begins is the next.
    ///   - lease: how long it lasts, in milliseconds.
    /// - Returns: false if it was claimed, settled or superseded meanwhile, or an earlier one of the task waits.
    func claim(delivery id: String, attempts: Int, lease: Int64, at time: Int64) async throws(StoreError) -> Bool

    /// Has whatever is claimed fall due at once, and whatever is further away than its pause after its pause: the clock
    /// was ahead when that was reckoned. For a process that has just started and that alone delivers: who claimed it is
    /// gone.
    func releaseLeases(at time: Int64) async throws(StoreError)

    /// The clock has jumped by `step` milliseconds, back if that is negative, and says `time` now: what waits is due
    /// after as long as it was before, and no later than its pause from now.
    func shiftDeliveries(by step: Int64, to time: Int64) async throws(StoreError)

    /// Notes how an attempt ended. A delivery that is to be tried again gives way, as `superseded`, to a later one of
    /// the same task that waits. An attempt that isn't the last one claimed changes nothing.
    func settle(delivery id: String, _ attempt: DeliveryAttempt, _ outcome: DeliveryOutcome) async throws(StoreError)

    /// Has a delivery, whatever became of it, sent once more from now on, with all its retries: its attempts count from
    /// 1 again. While a lease of the task's runs, it waits for the end of that, and an attempt of its own that runs
    /// counts no more.
    /// - Throws: `notFound`.
    func redeliver(delivery id: String, at time: Int64) async throws(StoreError)

    /// Deliveries for the operator, newest first.
    func deliveries(_ filter: DeliveryFilter, limit: Int) async throws(StoreError) -> [DeliveryRecord]

    /// The attempts of a delivery, oldest first.
    func attempts(delivery id: String) async throws(StoreError) -> [DeliveryAttempt]
}

/// A callback to be written with a task's step.
public struct NewDelivery: Sendable, Equatable {
    /// `webhook-id`: the same in every attempt; has no `.`.
    public var id: String
    /// Where it goes: the client's `callback_url`.
    public var url: String
    /// The body, frozen.
    public var body: [UInt8]
    /// Whether it tells of the task's end.
    public var isLast: Bool

    public init(id: String, url: String, body: [UInt8], isLast: Bool) {
        self.id = id
        self.url = url
        self.body = body
        self.isLast = isLast
    }
}

/// What becomes of a delivery. Only `waiting` ones are sent.
public enum DeliveryState: Int, Sendable, CaseIterable {
    /// To be sent, at once or again.
    case waiting = 0
    /// The receiver answered 2xx.
    case delivered = 1
    /// It had failed, and the task's next state took its place.
    case superseded = 2
    /// Every attempt failed, or the receiver said 410.
    case failed = 3
}

/// A callback and what became of it.
public struct DeliveryRecord: Sendable, Equatable {
    public let id: String
    public let task: TaskID
    public let tenant: String
    public let url: String
    public let body: [UInt8]
    public let isLast: Bool
    public let createdAt: Int64
    public var state: DeliveryState
    /// How many attempts have begun.
    public var attempts: Int
    /// When it falls due; while an attempt runs, when its lease ends. Nil: never again.
    public var nextAttemptAt: Int64?
    /// When it was delivered, superseded or given up.
    public var finishedAt: Int64?

    public init(
        id: String, task: TaskID, tenant: String, url: String, body: [UInt8], isLast: Bool, createdAt: Int64,
        state: DeliveryState = .waiting, attempts: Int = 0, nextAttemptAt: Int64?, finishedAt: Int64? = nil
    ) {
        self.id = id
        self.task = task
        self.tenant = tenant
        self.url = url
        self.body = body
        self.isLast = isLast
        self.createdAt = createdAt
        self.state = state
        self.attempts = attempts
        self.nextAttemptAt = nextAttemptAt
        self.finishedAt = finishedAt
    }
}

/// One attempt to deliver.
public struct DeliveryAttempt: Sendable, Equatable {
    /// From 1.
    public var number: Int
    public var startedAt: Int64
    /// In milliseconds.
    public var duration: Int64
    /// What the receiver answered; nil if it didn't.
    public var status: Int?
    /// Why there is no answer, in a few words for the operator.
    public var failure: String?

    public init(number: Int, startedAt: Int64, duration: Int64, status: Int?, failure: String? = nil) {
        self.number = number
        self.startedAt = startedAt
        self.duration = duration
        self.status = status
        self.failure = failure
    }
}

/// What follows from an attempt.
public enum DeliveryOutcome: Sendable, Equatable {
    case delivered
    /// Again at that time.
    case retry(at: Int64)
    /// Never again.
    case gaveUp
}

/// Which deliveries an operator asks for. Everything given must hold.
public struct DeliveryFilter: Sendable, Equatable {
    public var tenant: String?
    /// The task's public, upstream or gateway id.
    public var task: String?
    public var state: DeliveryState?

    public init(tenant: String? = nil, task: String? = nil, state: DeliveryState? = nil) {
        self.tenant = tenant
        self.task = task
        self.state = state
    }
}
