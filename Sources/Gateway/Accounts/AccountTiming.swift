internal import Base

/// How long an account is left alone, and when what was learned of it is doubted.
struct AccountTiming: Sendable {
    /// The first pause of a saturated or cooling account.
    var firstPause: Duration = .seconds(1)
    /// What repeated pauses grow to.
    var longestPause: Duration = .seconds(10)
    /// The most by which a cooling account's pause is shortened at random, as a part of it.
    var jitter = 0.2
    /// From one free list call to a disabled account to the next.
    var probeInterval: Duration = .seconds(30)
    /// After which a learned limit that stands in the way is raised by one.
    var raiseInterval: Duration = .seconds(60)
    /// How long a task that doesn't end holds its slot.
    var longestSlot: Duration = TaskSlots.longest

    /// The pause after one of `pause`.
    func longer(_ pause: Duration) -> Duration { min(longestPause, pause * 2) }

    /// A pause that many gateways don't end at the same moment.
    /// - Parameter random: 0 up to, but not including, 1.
    func jittered(_ pause: Duration, random: Double) -> Duration { pause * (1 - jitter * random) }
}
