internal import Base

/// How long an account is paused, and when the gateway rechecks what it has learned about the account.
struct AccountTiming: Sendable {
    /// The first pause of a saturated or cooling account.
    var firstPause: Duration = .seconds(1)
    /// The longest pause.
    var longestPause: Duration = .seconds(10)
    /// The largest fraction of a cooling account's pause that jitter takes off.
    var jitter = 0.2
    /// The interval between free list calls to a disabled account.
    var probeInterval: Duration = .seconds(30)
    /// How long a learned limit that holds back creates stays unchanged before it is raised by one.
    var raiseInterval: Duration = .seconds(60)
    /// How long a task that doesn't end holds its slot.
    var longestSlot: Duration = TaskSlots.longest

    /// The pause that follows `pause`.
    func longer(_ pause: Duration) -> Duration { min(longestPause, pause * 2) }

    /// A pause with jitter, so that many gateways don't end it at the same moment.
    /// - Parameter random: at least 0 and less than 1.
    func jittered(_ pause: Duration, random: Double) -> Duration { pause * (1 - jitter * random) }
}
