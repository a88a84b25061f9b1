internal import Base
internal import EventLoop
internal import TaskStore

/// Assembles the parts that create, settle, query and list the tasks of all tenants.
///
/// Each part does one thing and knows only the parts before it: the ledger records, probes ask, attempts send one
/// create to one account, open creates are settled, the sender goes from account to account, and creates, jobs and
/// queries serve clients.
final class TryOnTasks: Sendable {
    /// Options of the engine.
    struct Options: Sendable {
        /// How old the reported state of an unfinished task may be.
        var freshness: Duration = .seconds(1)
        /// How long a create waits for a free account before it is queued.
        var dispatchWait: Duration = .seconds(1)
        /// The address at which clients and Kling reach the gateway; nil: Kling gets no callback address.
        var publicURL: String?
        /// How long a create whose answer cannot have been read is remembered; zero: not at all.
        var resendWindow: Duration = .seconds(600)
        /// The file of ``UnsavedPublicIDs``; nil: there is none.
        var unsavedPublicIDsPath: String?
        /// The keys and tenants that have a limit of running tasks now.
        var limits: @Sendable () -> RunningLimits = { RunningLimits() }
    }

    let ledger: TaskLedger
    let caller: KlingCaller
    let bodies: UpstreamBodies
    let probes: AccountProbes
    let attempts: CreateAttempts
    let openCreates: OpenCreates
    let creates: TryOnCreates
    let queries: TaskQueries
    let jobs: TryOnJobs
    /// Remembers creates whose answers were not read; nil: none are remembered.
    let resends: Resends?
    /// How many tasks were flagged when they were last counted.
    let flagged = Lock(FlaggedTasks())
    /// What was used of tenants' budgets when they were last read.
    let budgets = Lock<[BudgetFigures]>([])
    /// The keys and tenants that have a limit of running tasks now.
    let limits: @Sendable () -> RunningLimits

    init(
        options: Options, store: any TaskStore, caller: KlingCaller, accounts: Accounts, queue: TaskQueue?,
        callbackDelivery: CallbackDelivery?, callbackTokens: CallbackTokens, pictures: PictureService? = nil,
        hosted: (any PictureHost)? = nil, clock: GuardedClock = GuardedClock(), cache: TaskCache, watcher: Watcher,
        loop: EventLoop, backgroundClock: Background.Clock = Background.Clock()
    ) {
        let background = Background(loop: loop, clock: backgroundClock)
        let ledger = TaskLedger(
            store: store, accounts: accounts, queue: queue, watcher: watcher, callbackDelivery: callbackDelivery,
            hosted: hosted,
            cache: cache, clock: clock, unsavedPublicIDsPath: options.unsavedPublicIDsPath, background: background,
            observer: caller.observer)
        (self.ledger, self.caller, limits) = (ledger, caller, options.limits)
        bodies = UpstreamBodies(
            accounts: accounts, publicURL: options.publicURL, callbackTokens: callbackTokens, pictures: pictures,
            hosted: hosted, observer: caller.observer)
        probes = AccountProbes(ledger, caller)
        attempts = CreateAttempts(ledger, caller, probes)
        openCreates = OpenCreates(ledger, attempts, probes, bodies)
        let placement = Placement(ledger, bodies)
        let sender = CreateSender(ledger, placement, attempts, openCreates, bodies)
        creates = TryOnCreates(
            ledger, placement, sender, openCreates, attempts, bodies, dispatchWait: options.dispatchWait)
        queries = TaskQueries(ledger, caller, attempts, freshness: options.freshness)
        jobs = TryOnJobs(
            ledger, queries, openCreates, creates, placement, sender, attempts, dispatchWait: options.dispatchWait)
        resends =
            options.resendWindow > .zero
            ? Resends(
                window: options.resendWindow, store: store.resends, replicas: store.replicas,
                background: background, clock: clock, makeID: ledger.makeID) : nil
    }

    // The parts of the ledger that many callers use.
    var store: any TaskStore { ledger.store }
    var accounts: Accounts { ledger.accounts }
    var clock: GuardedClock { ledger.clock }
    var background: Background { ledger.background }
}
