internal import Base

/// How many tasks an account runs at once: as configured, or fewer, as learned from its refusals.
struct ConcurrencyLimit: Sendable, Hashable {
    /// What the operator allows; `nil`: as many as Kling takes.
    let configured: Int?
    /// What Kling takes; `nil`: no refusal has shown less than what is configured.
    private(set) var learned: Int?
    private var changedAt: MonotonicTime?
    private var stoodInTheWay = false

    /// A limit of which nothing is learned yet.
    init(configured: Int?) { self.configured = configured }

    /// The limit that holds; `nil`: none.
    var current: Int? { learned ?? configured }

    /// Notes a refusal beside `running` other tasks.
    mutating func refused(beside running: Int, now: MonotonicTime) {
        learn(max(1, min(running, current ?? .max)), now)
    }

    /// Takes up what was learned before a restart.
    mutating func restore(_ limit: Int, now: MonotonicTime) { learn(max(1, limit), now) }

    /// Notes that there would have been one more task, but for the limit.
    mutating func noteDemand() { stoodInTheWay = learned != nil }

    /// When a learned limit is raised, if it has stood in the way.
    func raise(after interval: Duration) -> MonotonicTime? {
        guard learned != nil, stoodInTheWay, let changedAt else { return nil }
        return changedAt + interval
    }

    /// Raises a learned limit by one if its time has come.
    mutating func raiseIfDue(after interval: Duration, now: MonotonicTime) {
        guard let learned, let moment = raise(after: interval), moment <= now else { return }
        learn(learned + 1, now)
    }

    private mutating func learn(_ limit: Int, _ now: MonotonicTime) {
        learned = configured.map { limit >= $0 } == true ? nil : limit
        changedAt = now
        stoodInTheWay = false
    }
}

/// How many creates an account gets at once before it has shown that it takes them: one, doubled by each acceptance.
struct SlowStart: Sendable, Hashable {
    /// The most creates under way at once.
    private(set) var window = 1

    private static let widest = 1 << 16

    /// Notes an acceptance.
    mutating func accepted() { window = min(window * 2, Self.widest) }
}
