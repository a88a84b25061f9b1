internal import Base
public import EventLoop
internal import KlingAPI
public import TaskStore

/// Sends the deliveries in the store's outbox when they are due.
///
/// It runs on one loop, which its ``CallbackSender`` must use too. Each attempt is claimed with a lease before anything
/// is sent, and settled afterwards. After a crash, a claimed delivery falls due again when its lease expires, so every
/// delivery is sent at least once. Any thread may call any function.
public final class CallbackDelivery: @unchecked Sendable {
    // @unchecked: `bell`, `plan`, `inFlight`, `runner`, `backoff` and `isStopped` are accessed only on `loop`, where
    // every task of the delivery runs; everything else is immutable or behind a lock.

    private let loop: EventLoop
    private let store: any DeliveryStore
    private let observer: any GatewayObserver
    private let poll: Duration
    private let clock: OutboxClock
    private let attempts: DeliveryAttempts
    private let isOwner: @Sendable () -> Bool
    private let held = Lock<Set<TaskID>>([])
    /// The attempts in flight, and the deliveries due, for ``figures``.
    private let load = Lock((running: 0, due: 0))
    private let bell: Bell

    private var plan: DeliveryPlan
    private var inFlight: [String: Task<Void, Never>] = [:]
    private var runner: Task<Void, Never>?
    private var backoff: StoreBackoff
    private var isStopped = false

    /// Creates a delivery loop, which does nothing before ``start()``.
    /// - Parameters:
    ///   - loop: where it runs.
    ///   - secrets: provides the secrets that sign callbacks to a tenant.
    ///   - isOwner: whether no other process can have taken over this one's deliveries.
    ///   - random: the source of the retries' jitter.
    public init(
        loop: EventLoop, store: any DeliveryStore, sender: any CallbackSender, secrets: any WebhookSecretSource,
        observer: any GatewayObserver, policy: Policy, clock: GuardedClock = GuardedClock(),
        isOwner: @escaping @Sendable () -> Bool = { true },
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    ) {
        self.loop = loop
        self.store = store
        self.observer = observer
        self.isOwner = isOwner
        poll = policy.poll
        self.clock = OutboxClock(clock, store: store, observer: observer, tolerance: policy.clockTolerance)
        attempts = DeliveryAttempts(
            loop: loop, store: store, sender: sender, secrets: secrets, observer: observer, policy: policy,
            clock: clock, random: random)
        bell = Bell(loop: loop)
        plan = DeliveryPlan(policy.limits)
        backoff = StoreBackoff(first: policy.poll, longest: policy.longestBackOff)
    }

    /// Starts to deliver.
    public func start() {
        loop.execute { [self] in
            guard runner == nil, !isStopped else { return }
            runner = Origin.$bound.withValue(.callbacks) { loop.spawn { [self] in await run() } }
        }
    }

    /// Checks the outbox at once. Call it after something was written to it.
    public func kick() { loop.execute { [self] in bell.ring() } }

    /// Rejects a `callback_url` that can never be called.
    func check(_ url: HTTPURL) throws(GatewayError) { try attempts.check(url) }

    /// Holds back a task's deliveries until ``release(_:)``, because its create has not been answered yet. Call it
    /// before the first write that can make a delivery. A hold does not survive a restart, and need not: no client is
    /// waiting then.
    public func hold(_ task: TaskID) { held.withLock { _ = $0.insert(task) } }

    /// Ends the hold on a task's deliveries.
    public func release(_ task: TaskID) {
        if held.withLock({ $0.remove(task) }) != nil { kick() }
    }

    /// What was delivered since the start, and what is in flight.
    public var figures: DeliveryFigures {
        var figures = attempts.figures
        (figures.running, figures.due) = load.withLock { $0 }
        return figures
    }

    /// Starts no new attempts, and waits for those in flight. It cancels what still runs after `grace`; the leases of
    /// those deliveries bring them back. The store is not used after this returns.
    public func stop(grace: Duration) async {
        let work = await loop.run { [self] in
            isStopped = true
            bell.close()
            return Array(inFlight.values) + (runner.map { [$0] } ?? [])
        }
        let end = loop.spawn { [loop] in
            do { try await loop.sleep(for: grace) } catch { return }
            for task in work { task.cancel() }
        }
        for task in work { await task.value }
        end.cancel()
    }

    // MARK: Checking the outbox

    private func run() async {
        while !isStopped {
            let pause = await look()
            // During backoff from a failing store, the bell does not end the wait.
            await bell.wait(for: max(pause, backoff.pause), endsOnRing: !backoff.isActive)
        }
    }

    /// Starts the deliveries that are due.
    /// - Returns: how long to wait before the next check, unless the bell rings.
    private func look() async -> Duration {
        do {
            let now = try await clock.now()
            let next = try await store.nextDelivery()
            guard let next, next <= now else {
                storeWorks()
                _ = plan.take(OutboxPage(), held: [], now: clock.monotonic)
                note()
                return next.map { min(poll, .milliseconds($0 - now)) } ?? poll
            }
            let start = MonotonicTime.now
            let bounds = plan.bounds(held: heldTasks.count)
            let page = try await store.dueDeliveries(at: now, from: plan.position, bounds)
            if isStopped { return .zero }
            begin(plan.take(page, held: heldTasks, now: clock.monotonic))
            // Checks are expensive. With this pause, a series of them takes about a fifth of the time, however often
            // the bell rings.
            if plan.wantsMore {
                await bell.wait(for: min(.seconds(2), (MonotonicTime.now - start) * 4), endsOnRing: false)
            }
            return plan.wantsMore ? .zero : poll
        } catch {
            storeFailed(error)
            return .zero
        }
    }

    private var heldTasks: Set<TaskID> { held.withLock { $0 } }

    /// Records that a call to the store failed.
    private func storeFailed(_ error: StoreError) {
        if !backoff.isActive {
            observer.event(.error, "the outbox cannot be used: callbacks wait", [("reason", error.detail)])
        }
        backoff.failed()
    }

    /// Records that a call to the store succeeded.
    private func storeWorks() {
        if backoff.isActive { observer.event(.warning, "the outbox can be used again", []) }
        backoff.succeeded()
    }

    // MARK: Attempts

    private func begin(_ records: [DeliveryRecord]) {
        for record in records {
            inFlight[record.id] = loop.spawn { [self] in
                let end = await attempt(record)
                ended(record, end)
            }
        }
        note()
    }

    private func attempt(_ record: DeliveryRecord) async -> DeliveryAttempts.End {
        do {
            guard try await attempts.claim(record) else { return .notSent }
            storeWorks()
        } catch {
            storeFailed(error)
            return .notSent
        }
        // The process may have stood still since. Whoever has the delivery now sends it.
        guard isOwner() else { return .notSent }
        return await attempts.make(record)
    }

    private func ended(_ record: DeliveryRecord, _ end: DeliveryAttempts.End) {
        inFlight[record.id] = nil
        let now = clock.monotonic
        let isLaneEmpty = plan.ended(record.id, wasAnswered: end == .answered, now: now)
        if !isStopped, !backoff.isActive { begin(plan.begin(held: heldTasks, now: now)) }
        note()
        // A delivery that could not be claimed is not retried at once, because the store may give the same answer for
        // some time.
        if isLaneEmpty, end != .notSent { bell.ring() }
    }

    private func note() {
        let now = (running: plan.runningCount, due: plan.due)
        load.withLock { $0 = now }
    }
}

extension CallbackDelivery {
    /// The times and limits of deliveries.
    public struct Policy: Sendable {
        /// The `User-Agent` that receivers see.
        public var userAgent: String
        /// How long an attempt's claim keeps other processes from the delivery.
        public var lease = Duration.seconds(60)
        /// The timeout of a whole attempt.
        public var timeout = Duration.seconds(15)
        /// The longest time between two checks of the outbox, to which other processes write as well.
        public var poll = Duration.seconds(1)
        /// The longest backoff from a failing store.
        public var longestBackOff = Duration.seconds(30)
        /// When to retry.
        public var schedule = DeliverySchedule.standard
        var limits = DeliveryPlan.Limits()
        /// How much the clock may drift from the monotonic one between two checks before this counts as a jump, in
        /// milliseconds.
        var clockTolerance: Int64 = 1000

        /// The defaults.
        public init(userAgent: String) { self.userAgent = userAgent }
    }
}

/// The outcomes of deliveries since the start, and what is in flight.
public struct DeliveryFigures: Sendable, Equatable {
    /// Attempts that the receiver answered with 2xx.
    public var delivered: UInt64 = 0
    /// Attempts that failed and will be retried.
    public var retried: UInt64 = 0
    /// Deliveries that will not be retried.
    public var gaveUp: UInt64 = 0
    /// Attempts in flight.
    public var running = 0
    /// Deliveries that were due in the part of the outbox read last.
    public var due = 0

    /// Nothing yet.
    public init() {}
}
