internal import Base
public import EventLoop
public import TaskStore

/// Takes deliveries out of the store's outbox when they are due, and sends them.
///
/// It lives on one loop, which its ``CallbackSender`` knows. An attempt is claimed with a lease before anything is sent,
/// and settled after it: what a crash leaves falls due again when its lease is over, so that everything is delivered at
/// least once. Any thread may call any function.
public final class Courier: @unchecked Sendable {
    // @unchecked: `bell`, `plan`, `clockLead`, `attempts`, `runner`, `random`, `failures` and `isStopped` are touched on
    // `loop` alone, where every task of the courier runs; the rest never changes or is locked.

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

    private var plan: CourierPlan
    /// How far the clock was ahead of the monotonic one when the outbox was last looked at.
    private var clockLead: Int64?
    private var attempts: [String: Task<Void, Never>] = [:]
    private var runner: Task<Void, Never>?
    var random: any RandomNumberGenerator & Sendable
    /// How often in a row the store has failed.
    private var failures = 0
    private var isStopped = false

    /// Makes a courier that waits for ``start()``.
    /// - Parameters:
    ///   - loop: where it lives.
    ///   - secrets: whose secrets sign what is sent to a tenant.
    ///   - random: what retries are jittered with.
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
        plan = CourierPlan(policy.limits)
    }

    /// Begins to deliver.
    public func start() {
        loop.execute { [self] in
            guard runner == nil, !isStopped else { return }
            runner = Origin.$current.withValue(.callbacks) { loop.spawn { [self] in await run() } }
        }
    }

    /// Something was written to the outbox: look at once.
    public func kick() { loop.execute { [self] in bell.ring() } }

    /// Keeps back what is written of a task until ``release(_:)``: its create has not been answered. Call it before the
    /// first write that can make a delivery. It does not survive the process, and need not: nobody waits then.
    public func hold(_ task: TaskID) { held.withLock { _ = $0.insert(task) } }

    /// Lets a task's deliveries go.
    public func release(_ task: TaskID) {
        if held.withLock({ $0.remove(task) }) != nil { kick() }
    }

    /// What was delivered since the start, and what is under way.
    public var figures: DeliveryFigures { counts.withLock { $0 } }

    /// Begins nothing more and waits for what is under way. What is not over after `grace` is cut off; its lease brings
    /// it back. The store is not asked again when this returns.
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

    // MARK: Looking for work

    private func run() async {
        while !isStopped {
            let pause = await look()
            // A store that fails is left alone, however often the bell rings.
            await bell.wait(for: max(pause, backOff), heeding: failures == 0)
        }
    }

    /// Begins what is due.
    /// - Returns: when to look again, unless the bell rings.
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
            // Many looks in a row cost something: they take a fifth of the time, however often the bell rings.
            if plan.wantsMore {
                await bell.wait(for: min(.seconds(2), (MonotonicTime.now - start) * 4), heeding: false)
            }
            return plan.wantsMore ? .zero : policy.poll
        } catch {
            storeFailed(error)
            return .zero
        }
    }

    /// The time by which deliveries are due. When the clock has jumped, they go with it: none waits longer than its pause,
    /// and none loses one.
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

    /// The store did not do what it was asked.
    private func storeFailed(_ error: StoreError) {
        if failures == 0 {
            observer.event(.error, "the outbox cannot be used: callbacks wait", [("reason", error.detail)])
        }
        failures += 1
    }

    /// The store did what it was asked.
    func storeWorks() {
        if failures > 0 { observer.event(.warning, "the outbox can be used again", []) }
        failures = 0
    }

    /// How long to leave the store alone.
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
        // What could not be claimed is not looked at again at once: the store may say the same for long.
        if isLaneEmpty, end == .answered || end == .unanswered { bell.ring() }
    }

    private func note() {
        counts.withLock { counts in
            counts.running = plan.runningCount
            counts.due = plan.due
        }
    }
}

extension Courier {
    /// The times and bounds of deliveries.
    public struct Policy: Sendable {
        /// What the gateway calls itself towards receivers.
        public var userAgent: String
        /// How long an attempt is nobody else's.
        public var lease = Duration.seconds(60)
        /// How long everything of an attempt may take.
        public var timeout = Duration.seconds(15)
        /// The longest time between two looks: other processes write to the outbox, too.
        public var poll = Duration.seconds(1)
        /// The longest time for which a store that fails is left alone.
        public var longestBackOff = Duration.seconds(30)
        /// When to try again.
        public var schedule = DeliverySchedule.standard
        var limits = CourierPlan.Limits()
        /// How far the clock may go from the monotonic one between two looks before it is said to have jumped, in
        /// milliseconds.
        var clockTolerance: Int64 = 1000

        /// The defaults.
        public init(userAgent: String) { self.userAgent = userAgent }
    }
}

/// What became of deliveries since the start, and what is under way.
public struct DeliveryFigures: Sendable, Equatable {
    /// Attempts that the receiver answered with 2xx.
    public var delivered: UInt64 = 0
    /// Attempts that failed and are to be repeated.
    public var retried: UInt64 = 0
    /// Deliveries that will not be tried again.
    public var gaveUp: UInt64 = 0
    /// Attempts under way.
    public var running = 0
    /// Deliveries that were due when the outbox was last looked at, as far as it was.
    public var due = 0

    /// Nothing yet.
    public init() {}
}
