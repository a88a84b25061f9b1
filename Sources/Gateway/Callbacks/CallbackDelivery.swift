internal import Base
public import EventLoop
public import TaskStore

/// Sends the deliveries in the store's outbox when they are due.
///
/// It runs on one loop, which its ``CallbackSender`` must use too. Each attempt is claimed with a lease before anything
/// is sent, and settled afterwards. After a crash, a claimed delivery falls due again when its lease expires, so every
/// delivery is sent at least once. Any thread may call any function.
public final class CallbackDelivery: @unchecked Sendable {
    // @unchecked: `bell`, `plan`, `clockLead`, `attempts`, `runner`, `random`, `failures` and `isStopped` are accessed
    // only on `loop`, where every task of the delivery runs; everything else is immutable or behind a lock.

    let loop: EventLoop
    let store: any DeliveryStore
    let sender: any CallbackSender
    let secrets: any WebhookSecretSource
    let observer: any GatewayObserver
    let policy: Policy
    let clock: GuardedClock
    private let held = Lock<Set<TaskID>>([])
    let counts = Lock(DeliveryFigures())
    private let bell: Bell

    private var plan: DeliveryPlan
    /// How far the clock was ahead of the monotonic one when the outbox was last checked.
    private var clockLead: Int64?
    private var attempts: [String: Task<Void, Never>] = [:]
    private var runner: Task<Void, Never>?
    var random: any RandomNumberGenerator & Sendable
    /// How many times in a row the store has failed.
    private var failures = 0
    private var isStopped = false

    /// Creates a delivery loop, which does nothing before ``start()``.
    /// - Parameters:
    ///   - loop: where it runs.
    ///   - secrets: provides the secrets that sign callbacks to a tenant.
    ///   - random: the source of the retries' jitter.
    public init(
        loop: EventLoop, store: any DeliveryStore, sender: any CallbackSender, secrets: any WebhookSecretSource,
        observer: any GatewayObserver, policy: Policy, clock: GuardedClock = GuardedClock(),
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    ) {
        self.loop = loop
        self.store = store
        self.sender = sender
        self.secrets = secrets
        self.observer = observer
        self.policy = policy
        self.clock = clock
        self.random = random
        bell = Bell(loop: loop)
        plan = DeliveryPlan(policy.limits)
    }

    /// Starts to deliver.
    public func start() {
        loop.execute { [self] in
            guard runner == nil, !isStopped else { return }
            runner = Origin.$current.withValue(.callbacks) { loop.spawn { [self] in await run() } }
        }
    }

    /// Checks the outbox at once. Call it after something was written to it.
    public func kick() { loop.execute { [self] in bell.ring() } }

    /// Holds back a task's deliveries until ``release(_:)``, because its create has not been answered yet. Call it
    /// before the first write that can make a delivery. A hold does not survive a restart, and need not: no client is
    /// waiting then.
    public func hold(_ task: TaskID) { held.withLock { _ = $0.insert(task) } }

    /// Ends the hold on a task's deliveries.
    public func release(_ task: TaskID) {
        if held.withLock({ $0.remove(task) }) != nil { kick() }
    }

    /// What was delivered since the start, and what is in flight.
    public var figures: DeliveryFigures { counts.withLock { $0 } }

    /// Starts no new attempts, and waits for those in flight. It cancels what still runs after `grace`; the leases of
    /// those deliveries bring them back. The store is not used after this returns.
    public func stop(grace: Duration) async {
        let work = await loop.run { [self] in
            isStopped = true
            bell.close()
            return Array(attempts.values) + (runner.map { [$0] } ?? [])
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
            await bell.wait(for: max(pause, backOff), heeding: failures == 0)
        }
    }

    /// Starts the deliveries that are due.
    /// - Returns: how long to wait before the next check, unless the bell rings.
    private func look() async -> Duration {
        do {
            let now = try await currentTime()
            let next = try await store.nextDelivery()
            guard let next, next <= now else {
                storeWorks()
                _ = plan.take(OutboxPage(), held: [], now: clock.monotonic)
                note()
                return next.map { min(policy.poll, .milliseconds($0 - now)) } ?? policy.poll
            }
            let start = MonotonicTime.now
            let bounds = plan.bounds(held: heldTasks.count)
            let page = try await store.dueDeliveries(at: now, from: plan.position, bounds)
            if isStopped { return .zero }
            begin(plan.take(page, held: heldTasks, now: clock.monotonic))
            // Checks are expensive. With this pause, a series of them takes about a fifth of the time, however often
            // the bell rings.
            if plan.wantsMore {
                await bell.wait(for: min(.seconds(2), (MonotonicTime.now - start) * 4), heeding: false)
            }
            return plan.wantsMore ? .zero : policy.poll
        } catch {
            storeFailed(error)
            return .zero
        }
    }

    /// The time that decides which deliveries are due. When the clock has jumped, it first shifts all deliveries by the
    /// same amount, so that none waits longer than its pause and none loses its pause.
    private func currentTime() async throws(StoreError) -> Int64 {
        let (now, monotonic) = (clock.now, clock.monotonic)
        let step = clockLead.map { now - monotonic - $0 } ?? 0
        if abs(step) > policy.clockTolerance {
            try await store.shiftDeliveries(by: step, to: now)
            observer.event(.warning, "the clock has jumped: callbacks keep their pauses", [("milliseconds", "\(step)")])
        }
        clockLead = now - monotonic
        return now
    }

    private var heldTasks: Set<TaskID> { held.withLock { $0 } }

    /// Records that a call to the store failed.
    private func storeFailed(_ error: StoreError) {
        if failures == 0 {
            observer.event(.error, "the outbox cannot be used: callbacks wait", [("reason", error.detail)])
        }
        failures += 1
    }

    /// Records that a call to the store succeeded.
    func storeWorks() {
        if failures > 0 { observer.event(.warning, "the outbox can be used again", []) }
        failures = 0
    }

    /// How long to leave a failing store alone.
    private var backOff: Duration {
        failures == 0 ? .zero : min(policy.longestBackOff, policy.poll * (1 << min(failures - 1, 10)))
    }

    // MARK: Attempts

    private func begin(_ records: [DeliveryRecord]) {
        for record in records {
            attempts[record.id] = loop.spawn { [self] in
                let end = await attempt(record)
                ended(record, end)
            }
        }
        note()
    }

    private func ended(_ record: DeliveryRecord, _ end: AttemptEnd) {
        attempts[record.id] = nil
        let now = clock.monotonic
        let isLaneEmpty = plan.ended(record.id, wasAnswered: end == .answered, now: now)
        if case .storeFailed(let error) = end { storeFailed(error) }
        if !isStopped, failures == 0 { begin(plan.begin(held: heldTasks, now: now)) }
        note()
        // A delivery that could not be claimed is not retried at once, because the store may give the same answer for
        // some time.
        if isLaneEmpty, end == .answered || end == .unanswered { bell.ring() }
    }

    private func note() {
        counts.withLock { counts in
            counts.running = plan.runningCount
            counts.due = plan.due
        }
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

/// What became of deliveries since the start, and what is in flight.
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
