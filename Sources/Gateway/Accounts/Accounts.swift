public import Base
public import TaskStore

/// The accounts that work may be sent to: which takes the next task, which creates wait for a slot, and what is known
/// of each account.
///
/// Any thread may call any function. Every reservation, by ``reserve(_:model:excluding:now:)`` or
/// ``wait(for:tenant:model:excluding:until:)``, needs one ``settled(_:on:_:now:)`` with the create's outcome. If a
/// task was or may have been made, it needs a second one with ``CreateEvent/ended``.
public final class Accounts: Sendable {
    private let byName: [String: Account]
    let state: Lock<State>
    let clock: @Sendable () -> MonotonicTime

    /// What the lock guards.
    struct State {
        var pool: AccountPool
        var room = WaitingRoom()
    }

    /// Creates the pool from at least one account. Names must be unique.
    public convenience init(_ accounts: [Account]) {
        self.init(accounts, timing: AccountTiming(), random: { .random(in: 0..<1) }, clock: { .now })
    }

    /// - Parameters:
    ///   - random: returns numbers from 0 up to, but not including, 1, which shorten pauses.
    ///   - clock: the current time for waiting creates.
    init(
        _ accounts: [Account], timing: AccountTiming, random: @escaping @Sendable () -> Double,
        clock: @escaping @Sendable () -> MonotonicTime
    ) {
        byName = Dictionary(accounts.map { ($0.name, $0) }) { first, _ in first }
        state = Lock(State(pool: AccountPool(accounts, timing: timing, random: random)))
        self.clock = clock
    }

    /// The account with this name; `nil` if it is no longer configured. A task stays with its account.
    public func named(_ name: String) -> Account? { byName[name] }

    /// All accounts, in no particular order.
    var all: [Account] { Array(byName.values) }

    // MARK: Choice

    /// Takes a slot for a create at the healthy account with the most free weighted capacity.
    /// - Parameter excluding: the names of accounts that have rejected this task.
    /// - Returns: the account, or `nil` if none has room after waiting creates were served.
    func reserve(
        _ task: TaskID, model: String, excluding: Set<String> = [], now: MonotonicTime = .now
    ) -> Account? {
        change(now) { state in
            let served = state.serve(now)
            return (state.pool.reserve(task, model: model, excluding: excluding, now: now), served)
        }
    }

    /// The error for a client when no account takes its create. An account that has rejected the task counts with the
    /// state that this put it in.
    func refusalError(model: String, excluding: Set<String> = [], now: MonotonicTime = .now) -> GatewayError {
        state.withLock { $0.pool.refusalError(model: model, excluding: excluding, now: now) }
    }

    /// The names to exclude so that only `account` is left; none if any will do.
    func others(than account: String?) -> Set<String> {
        account.map { account in Set(byName.keys.filter { $0 != account }) } ?? []
    }

    /// The names of the accounts that don't meet the need.
    func excluded(by need: QueueNeed) -> Set<String> { others(than: need.account).union(need.excluding) }

    /// Whether `count` more tasks fit into the limits of healthy accounts.
    func fits(_ count: Int, model: String, excluding: Set<String>, now: MonotonicTime = .now) -> Bool {
        state.withLock { $0.pool.fits(count, model: model, excluding: excluding, now: now) }
    }

    /// Whether the account has a limit on concurrent tasks, so that a task's end frees a slot for another.
    func hasLimit(_ name: String) -> Bool { limit(of: name) != nil }

    /// How many tasks the account may run at once; nil: any number.
    func limit(of name: String) -> Int? { state.withLock { $0.pool.limit(of: name) } }

    /// Whether a task of `model` may be queued: at least one account that serves it is not disabled.
    func canQueue(model: String, excluding: Set<String> = []) -> Bool {
        state.withLock { $0.pool.canQueue(model: model, excluding: excluding) }
    }

    /// Whether it is worth waiting for an account for a queued task. A task that only one account may have is tried
    /// only when that account has room, so that it doesn't hold up the tenant's other tasks.
    func mayServe(_ need: QueueNeed) -> Bool {
        let (excluded, now) = (excluded(by: need), clock())
        if need.account == nil { return canQueue(model: need.model, excluding: excluded) }
        return state.withLock { $0.pool.hasRoom(model: need.model, excluding: excluded, now: now) }
    }

    // MARK: Events

    /// Records the outcome of a create. Accounts that are no longer configured are ignored, and the task need not have
    /// a slot.
    /// - Returns: the transition, if the account's ``AccountFigures/State`` changed.
    @discardableResult func settled(
        _ task: TaskID, on account: String, _ event: CreateEvent, now: MonotonicTime = .now
    ) -> AccountTransition? {
        change(now) { state in
            let transition = state.pool.settle(task, on: account, event, now: now)
            return (transition, state.serve(now))
        }
    }

    /// Returns the disabled accounts whose free list call is due. Returns each at most once in 30 seconds; each needs
    /// one ``probed(_:_:now:)``.
    func probes(now: MonotonicTime = .now) -> [Account] { state.withLock { $0.pool.takeProbes(now: now) } }

    /// Records the outcome of an account's list call.
    /// - Returns: the transition, if the account's ``AccountFigures/State`` changed.
    @discardableResult func probed(
        _ account: String, _ outcome: ProbeOutcome, now: MonotonicTime = .now
    ) -> AccountTransition? {
        change(now) { state in
            let transition = state.pool.probed(account, outcome, now: now)
            return (transition, state.serve(now))
        }
    }

    // MARK: Other gateways

    /// How many unfinished tasks of the account the store may have, those of all gateways; nil: any number.
    func storeLimit(of name: String) -> Int? { state.withLock { $0.pool.storeLimit(of: name) } }

    /// Records how many tasks other gateways that share the store run, by account.
    func count(elsewhere: [String: Int], now: MonotonicTime = .now) {
        change(now) { state in
            state.pool.count(elsewhere: elsewhere)
            return ((), state.serve(now))
        }
    }

    /// Records that other gateways have all the account's slots that are not taken here.
    func noteFullElsewhere(_ account: String) { state.withLock { $0.pool.noteFullElsewhere(account) } }

    /// Takes over what other gateways have learned and saved, for accounts about which nothing new was learned here.
    func merge(_ records: [AccountStateRecord], now: MonotonicTime = .now) {
        change(now) { state in
            state.pool.merge(records, now: now)
            return ((), state.serve(now))
        }
    }

    // MARK: Checks

    /// Makes ``probes(now:)`` return every account until it is reached, with growing pauses.
    func beginChecks(now: MonotonicTime = .now) { state.withLock { $0.pool.beginChecks(now: now) } }

    /// Whether the account has not been reached since the start.
    func needsCheck(_ account: String) -> Bool { state.withLock { $0.pool.needsCheck(account) } }

    /// Records what a check of an account has found. Call it for each account of ``probes(now:)`` that needs a check.
    /// - Returns: whether it differs from what was known.
    func checked(_ account: String, _ finding: AccountFinding, now: MonotonicTime = .now) -> Bool {
        change(now) { state in
            let isNews = state.pool.checked(account, finding, now: now)
            return (isNews, state.serve(now))
        }
    }

    /// Whether any account can be used for creates.
    public var reachability: AccountReachability { state.withLock { $0.pool.reachability } }

    // MARK: Figures and saved state

    /// The figures of each account, in the configuration's order.
    public func figures(now: MonotonicTime = .now) -> [AccountFigures] {
        state.withLock { $0.pool.figures(now: now) }
    }

    /// How many creates wait for a slot.
    public var waiting: Int { state.withLock { $0.room.queue.count } }

    /// Returns the state of the accounts that changed since the last call, to be saved.
    /// - Parameter time: milliseconds since 1970.
    public func takeChanged(at time: Int64 = WallClock.milliseconds) -> [AccountStateRecord] {
        state.withLock { $0.pool.takeChanged(at: time) }
    }

    /// Makes the next ``takeChanged(at:)`` return the state of these accounts again, because it could not be saved.
    public func putBack(_ records: [AccountStateRecord]) { state.withLock { $0.pool.putBack(records) } }

    /// Restores what was known before a restart. Call it before any task is sent. Disabled accounts are probed at once,
    /// because the operator may have acted. Ignores accounts that are no longer configured.
    public func restore(
        _ records: [AccountStateRecord], running: [RunningTask], now: MonotonicTime = .now
    ) {
        state.withLock { $0.pool.restore(records, running: running, now: now) }
    }
}
