import Base
import KlingAPI
import TaskStore

@testable import Gateway

/// An account that is never called.
func account(
    _ name: String, concurrency: Int? = nil, weight: Int = 1, models: Set<String> = [], hasLookup: Bool? = nil,
    hasUniqueIDs: Bool? = nil, key: String = "unused"
) -> Account {
    Account(
        name: name, baseURL: "https://\(name).test", credential: .apiKey(Secret(key)), models: models,
        weight: weight, concurrency: concurrency, hasLookup: hasLookup, hasUniqueIDs: hasUniqueIDs)
}

/// The moment `seconds` after the tests' start.
func moment(_ seconds: Double) -> MonotonicTime { MonotonicTime(nanoseconds: Int64((1000 + seconds) * 1e9)) }

/// The task id with this number.
func id(_ number: Int) -> TaskID {
    let digits = String(number)
    return TaskID(String(repeating: "0", count: 26 - digits.count) + digits) ?? id(0)
}

/// A clock that a test moves.
final class HandClock: Sendable {
    private let nanoseconds = Lock(moment(0).nanoseconds)

    var now: MonotonicTime { MonotonicTime(nanoseconds: nanoseconds.withLock { $0 }) }

    func move(to seconds: Double) { nanoseconds.withLock { $0 = moment(seconds).nanoseconds } }
}

extension Accounts {
    /// Accounts with the test's clock, whose pauses are not shortened.
    convenience init(_ accounts: [Account], clock: HandClock, timing: AccountTiming = AccountTiming()) {
        self.init(accounts, timing: timing, random: { 0 }, clock: { clock.now })
    }
}

/// A reference to an account's state, so that an expectation can change it.
final class AccountSubject {
    private(set) var state: AccountState

    init(_ account: Account) { state = AccountState(account, timing: AccountTiming()) }

    var figures: AccountFigures { state.figures }

    func reserve(_ number: Int, at seconds: Double) { state.reserve(id(number), model: "m", now: moment(seconds)) }

    func advance(to seconds: Double) { state.advance(to: moment(seconds)) }

    /// Reserves a slot for a create if there is room, and returns whether there was.
    func take(_ number: Int, model: String = "m", at seconds: Double) -> Bool {
        advance(to: seconds)
        guard state.room(for: model, now: moment(seconds)) != nil else { return false }
        state.reserve(id(number), model: model, now: moment(seconds))
        return true
    }

    func settle(_ number: Int, _ event: CreateEvent, at seconds: Double, random: Double = 0) {
        state.settle(id(number), event, now: moment(seconds), random: random)
    }

    func takeProbe(at seconds: Double) -> Bool { state.takeProbe(now: moment(seconds)) }

    func probed(_ outcome: ProbeOutcome, at seconds: Double) { state.probed(outcome, now: moment(seconds)) }

    func nextChange(after seconds: Double) -> MonotonicTime? { state.nextChange(after: moment(seconds)) }

    func restore(_ number: Int, age: Duration, at seconds: Double) {
        state.restore(id(number), age: age, now: moment(seconds))
    }
}

/// A reference to a pool, so that an expectation can change it. Its pauses are not shortened.
final class PoolSubject {
    private var pool: AccountPool

    init(_ accounts: Account...) { pool = AccountPool(accounts, timing: AccountTiming(), random: { 0 }) }

    /// Reserves a slot, and returns the account's name.
    func reserve(_ number: Int, excluding: Set<String> = [], at seconds: Double = 0) -> String? {
        pool.reserve(id(number), model: "m", excluding: excluding, now: moment(seconds))?.name
    }

    /// Reserves a slot and accepts the create, so that only limits matter.
    func accept(_ number: Int, excluding: Set<String> = [], at seconds: Double = 0) -> String? {
        guard let name = reserve(number, excluding: excluding, at: seconds) else { return nil }
        settle(number, on: name, .accepted, at: seconds)
        return name
    }

    @discardableResult func settle(
        _ number: Int, on account: String, _ event: CreateEvent, at seconds: Double = 0
    ) -> AccountTransition? {
        pool.settle(id(number), on: account, event, now: moment(seconds))
    }

    func refusalError(model: String = "m", at seconds: Double = 0) -> GatewayError {
        pool.refusalError(model: model, now: moment(seconds))
    }

    func canQueue(model: String = "m") -> Bool { pool.canQueue(model: model) }

    func nextChange(after seconds: Double) -> MonotonicTime? { pool.nextChange(after: moment(seconds)) }

    func figures(at seconds: Double = 0) -> [AccountFigures] { pool.figures(now: moment(seconds)) }

    func takeProbes(at seconds: Double = 0) -> [String] { pool.takeProbes(now: moment(seconds)).map(\.name) }

    func takeChanged(at time: Int64) -> [AccountStateRecord] { pool.takeChanged(at: time) }

    func putBack(_ records: [AccountStateRecord]) { pool.putBack(records) }

    func restore(_ records: [AccountStateRecord], running: [RunningTask] = []) {
        pool.restore(records, running: running, now: moment(0))
    }
}

extension CreateEvent {
    static let saturated = refusedForNow(.saturated)
    static let rateLimited = refusedForNow(.rateLimited)
    static let unavailable = refusedForNow(.unavailable)
    static let packUsedUp = refusedForNow(.account(.resourcePackExhausted, reason: "balance not enough"))
    static let modelRefused = refusedForNow(.model(.permissionDenied, reason: "no permission"))
}
