public import Base
public import TaskStore

/// The accounts that work may be sent to: who takes the next task, who waits for a slot, and what is known of each.
///
/// From any thread. Every reservation, by ``reserve(_:model:excluding:now:)`` or
/// ``wait(for:tenant:model:excluding:until:on:)``, needs one ``settled(_:on:_:now:)`` that tells what became of the create,
/// and, where a task was or may have been made, a second one with ``CreateEvent/ended``.
public final class Accounts: Sendable {
    private let byName: [String: Account]
    let state: Lock<State>
    let clock: @Sendable () -> MonotonicTime

    /// What the lock guards.
    struct State {
        var pool: AccountPool
        var room = WaitingRoom()
    }

    /// At least one account, with names of their own.
    public convenience init(_ accounts: [Account]) {
        self.init(accounts, timing: AccountTiming(), random: { .random(in: 0..<1) }, clock: { .now })
    }

    /// - Parameters:
    ///   - random: makes numbers from 0 up to, but not including, 1, by which pauses are shortened.
    ///   - clock: the time for whoever waits.
    init(
        _ accounts: [Account], timing: AccountTiming, random: @escaping @Sendable () -> Double,
        clock: @escaping @Sendable () -> MonotonicTime
    ) {
        byName = Dictionary(accounts.map { ($0.name, $0) }) { first, _ in first }
        state = Lock(State(pool: AccountPool(accounts, timing: timing, random: random)))
        self.clock = clock
    }

    /// The account of that name, to which a task that it has always goes back; `nil` if it is configured no more.
    public func named(_ name: String) -> Account? { byName[name] }

    /// All of them, in no order.
    var all: [Account] { Array(byName.values) }

    // MARK: Choice

    /// Takes a slot for a create, of the healthy account with the most free weighted capacity.
    /// - Parameter excluding: the names of accounts that have refused this very task.
    /// - Returns: the account, or `nil` if none has room, or those that wait come first.
    func reserve(
        _ task: TaskID, model: String, excluding: Set<String> = [], now: MonotonicTime = .now
    ) -> Account? {
        change(now) { state in
            let served = state.serve(now)
            return (state.pool.reserve(task, model: model, excluding: excluding, now: now), served)
        }
    }

    /// What a client is told when nothing can be had. Accounts that have refused a task stand in the state that this
    /// brought them into.
    func whyNot(model: String, excluding: Set<String> = [], now: MonotonicTime = .now) -> GatewayError {
        state.withLock { $0.pool.whyNot(model: model, excluding: excluding, now: now) }
    }

    /// The names to exclude so that only `account` is left; none if any will do.
    func others(than account: String?) -> Set<String> {
        account.map { account in Set(byName.keys.filter { $0 != account }) } ?? []
    }

    /// The names of the accounts that will not do.
    func excluded(by need: QueueNeed) -> Set<String> { others(than: need.account).union(need.excluding) }

    /// Whether so many more tasks fit into the limits of healthy accounts.
    func fits(_ count: Int, model: String, excluding: Set<String>, now: MonotonicTime = .now) -> Bool {
        state.withLock { $0.pool.fits(count, model: model, excluding: excluding, now: now) }
    }

    /// Whether only so many tasks run there at once, so that each one's end matters to others.
    func hasLimit(_ name: String) -> Bool { state.withLock { $0.pool.hasLimit(name) } }

    /// Whether a task of `model` may be queued: at least one account that serves it is not disabled.
    func canQueue(model: String, excluding: Set<String> = []) -> Bool {
        state.withLock { $0.pool.canQueue(model: model, excluding: excluding) }
    }

    /// Whether it is worth while to wait for an account for a queued task. One that only a certain account may have is
    /// tried when that has room, so that it doesn't hold up the others of its tenant.
    func mayServe(_ need: QueueNeed) -> Bool {
        let (excluded, now) = (excluded(by: need), clock())
        if need.account == nil { return canQueue(model: need.model, excluding: excluded) }
        return state.withLock { $0.pool.hasRoom(model: need.model, excluding: excluded, now: now) }
    }

    // MARK: Events

    /// Notes what became of a create. Accounts that are configured no more, and events of tasks without a slot, do no harm.
    /// - Returns: what that made of the account, if its state has another name now.
    @discardableResult func settled(
        _ task: TaskID, on account: String, _ event: CreateEvent, now: MonotonicTime = .now
    ) -> AccountTransition? {
        change(now) { state in
            let transition = state.pool.settle(task, on: account, event, now: now)
            return (transition, state.serve(now))
        }
    }

    /// The disabled accounts whose free list call is due; each is named once in half a minute, and needs one
    /// ``probed(_:_:now:)``.
    func probes(now: MonotonicTime = .now) -> [Account] { state.withLock { $0.pool.takeProbes(now: now) } }

    /// Notes what came of an account's list call.
    /// - Returns: what that made of the account, if its state has another name now.
    @discardableResult func probed(
        _ account: String, _ outcome: ProbeOutcome, now: MonotonicTime = .now
    ) -> AccountTransition? {
        change(now) { state in
            let transition = state.pool.probed(account, outcome, now: now)
            return (transition, state.serve(now))
        }
    }

    // MARK: What is known

    /// What is going on, account by account, in the configuration's order.
    public func figures(now: MonotonicTime = .now) -> [AccountFigures] {
        state.withLock { $0.pool.figures(now: now) }
    }

    /// How many creates wait for a slot.
    public var waiting: Int { state.withLock { $0.room.queue.count } }

    /// What has changed since it was taken last, and is to be kept.
    /// - Parameter time: milliseconds since 1970.
    public func takeChanged(at time: Int64 = WallClock.milliseconds) -> [AccountStateRecord] {
        state.withLock { $0.pool.takeChanged(at: time) }
    }

    /// Has records taken once more, which could not be kept.
    public func putBack(_ records: [AccountStateRecord]) { state.withLock { $0.pool.putBack(records) } }

    /// Takes up what was known before a restart; call it before any task is sent. Disabled accounts are probed at once:
    /// their operator may have acted. What belongs to accounts that are configured no more is left out.
    public func restore(
        _ records: [AccountStateRecord], running: [RunningTask], now: MonotonicTime = .now
    ) {
        state.withLock { $0.pool.restore(records, running: running, now: now) }
    }
}
