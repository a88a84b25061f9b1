internal import Base

/// How many tasks an account runs at once: as configured, or fewer, as its rejections have shown.
struct ConcurrencyLimit: Sendable, Hashable {
    /// What the operator allows; `nil`: as many as Kling takes.
    let configured: Int?
    /// What Kling takes; `nil`: no rejection has shown a limit below the configured one.
    private(set) var learned: Int?
    private var changedAt: MonotonicTime?
    private var hasHeldBackTask = false

    /// Creates a limit with nothing learned yet.
    init(configured: Int?) { self.configured = configured }

    /// The limit in force; `nil`: none.
    var current: Int? { learned ?? configured }

    /// Records a rejection while `running` other tasks were running.
    mutating func refused(beside running: Int, now: MonotonicTime) {
        learn(max(1, min(running, current ?? .max)), now)
    }

    /// Restores what was learned before a restart.
    mutating func restore(_ limit: Int, now: MonotonicTime) { learn(max(1, limit), now) }

    /// Takes over what another gateway has learned; nil: that no limit is below the configured one.
    mutating func merge(_ limit: Int?, now: MonotonicTime) {
        if limit != learned { learn(limit ?? configured ?? .max, now) }
        if limit == nil { learned = nil }
    }

    /// Records that the limit held back a task.
    mutating func noteDemand() { hasHeldBackTask = learned != nil }

    /// When to raise a learned limit; `nil` unless it has held back a task.
    func raise(after interval: Duration) -> MonotonicTime? {
        guard learned != nil, hasHeldBackTask, let changedAt else { return nil }
        return changedAt + interval
    }

    /// Raises a learned limit by one when it is due.
    mutating func raiseIfDue(after interval: Duration, now: MonotonicTime) {
        guard let learned, let moment = raise(after: interval), moment <= now else { return }
        learn(learned + 1, now)
    }

    private mutating func learn(_ limit: Int, _ now: MonotonicTime) {
        learned = configured.map { limit >= $0 } == true ? nil : limit
        changedAt = now
        hasHeldBackTask = false
    }
}

/// How many creates an account gets at once before it has shown that it takes more: one, doubled by each acceptance.
struct SlowStart: Sendable, Hashable {
    /// The most creates in flight at once.
    private(set) var window = 1

    private static let widest = 1 << 16

    /// Records an acceptance.
    mutating func accepted() { window = min(window * 2, Self.widest) }
}
