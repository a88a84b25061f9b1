/// The outbox: callbacks to send to clients, written in the transaction that changed the task.
///
/// As everywhere in the store, a write is on disk when it returns, any thread may call, and times are milliseconds
/// since 1970.
public protocol DeliveryStore: Sendable {
    /// Returns due deliveries, at most one per task: the oldest that is waiting.
    ///
    /// Every tenant and each of its receivers gets a share, longest due first, so that one backlog does not hide
    /// another. The cost depends on the number of tenants and receivers, not on the number of waiting deliveries.
    /// - Parameter position: where the previous read ended.
    func dueDeliveries(
        at time: Int64, from position: OutboxPosition, _ bounds: OutboxBounds
    ) async throws(StoreError) -> OutboxPage

    /// Returns when the next delivery falls due; nil if none is waiting.
    func nextDelivery() async throws(StoreError) -> Int64?

    /// Claims a delivery for one attempt. Until the lease expires, no other caller can claim it. If the attempt is
    /// never settled, because the process died, the delivery falls due again when the lease expires.
    /// - Parameters:
    ///   - attempts: the number of attempts when the delivery was read; this claim begins the next one.
    ///   - lease: how long the lease lasts, in milliseconds.
    /// - Returns: false if the delivery was claimed, settled or superseded in the meantime, or if an earlier delivery
    ///   of the task is waiting.
    func claim(delivery id: String, attempts: Int, lease: Int64, at time: Int64) async throws(StoreError) -> Bool

    /// Releases every lease, so that claimed deliveries fall due at once. A delivery that is due further ahead than its
    /// pause was scheduled while the clock was ahead; it falls due after its pause instead.
    ///
    /// Only for a process that has just started and is the only one that delivers: the process that held the leases is
    /// gone.
    func releaseLeases(at time: Int64) async throws(StoreError)

    /// Adjusts due times after the wall clock has jumped by `step` milliseconds (negative: backwards) to `time`.
    /// Waiting deliveries keep their remaining delay, but fall due no later than their pause from `time` on.
    func shiftDeliveries(by step: Int64, to time: Int64) async throws(StoreError)

    /// Records how an attempt ended. A delivery to be retried becomes `superseded` if a later delivery of the same task
    /// is waiting. An attempt that is not the last one claimed changes nothing.
    func settle(delivery id: String, _ attempt: DeliveryAttempt, _ outcome: DeliveryOutcome) async throws(StoreError)

    /// Schedules a delivery to be sent again with all its retries, whatever its state. Its attempts count from 1 again.
    /// While a lease of the task is held, the delivery waits until that ends. The outcome of an attempt already in
    /// flight is ignored.
    /// - Throws: `notFound`.
    func redeliver(delivery id: String, at time: Int64) async throws(StoreError)

    /// Deliveries for the operator, newest first.
    func deliveries(_ filter: DeliveryFilter, limit: Int) async throws(StoreError) -> [DeliveryRecord]

    /// The attempts of a delivery, oldest first.
    func attempts(delivery id: String) async throws(StoreError) -> [DeliveryAttempt]
}

/// A callback to write in the same transaction as a task's step.
public struct NewDelivery: Sendable, Equatable {
    /// The `webhook-id`: the same in every attempt, without a `.`.
    public var id: String
    /// Where it goes: the client's `callback_url`.
    public var url: String
    /// The body, frozen.
    public var body: [UInt8]
    /// Whether it reports the end of the task.
    public var isLast: Bool

    public init(id: String, url: String, body: [UInt8], isLast: Bool) {
        self.id = id
        self.url = url
        self.body = body
        self.isLast = isLast
    }
}

/// The state of a delivery. Only `waiting` deliveries are sent.
public enum DeliveryState: Int, Sendable, CaseIterable {
    /// To be sent, for the first time or again.
    case waiting = 0
    /// The receiver answered 2xx.
    case delivered = 1
    /// Its attempts failed, and a delivery of the task's next state replaced it.
    case superseded = 2
    /// Every attempt failed, or the receiver answered 410.
    case failed = 3
}

/// A callback and its state.
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
    /// When it falls due or, while an attempt is in flight, when the lease ends; nil if it is not sent again.
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
    /// The status that the receiver answered with; nil if there was no answer.
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

/// The outcome of an attempt.
public enum DeliveryOutcome: Sendable, Equatable {
    case delivered
    /// To be sent again at that time.
    case retry(at: Int64)
    /// Not to be sent again.
    case gaveUp
}

/// Selects deliveries for an operator. A delivery must match every value given.
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
