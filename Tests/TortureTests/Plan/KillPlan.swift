import TestKit

/// When the gateway is killed.
struct KillPlan: Sendable {
    /// One kill.
    struct Kill: Sendable {
        /// How many creates must have begun before it.
        let afterCreates: Int
        /// How long it waits after that or, during a start, after the process was started.
        let delay: Duration
        /// Whether it hits the start after the previous kill, rather than a gateway that serves.
        let isInStart: Bool
        /// Whether it is a power cut, which also loses what was not synced.
        let cutsPower: Bool
        /// How much slower the disk is before it: power is often cut in the middle of a sync.
        let syncDelay: Duration
        /// What it hits if several gateways share a store.
        let victim: Victim
        /// Whether the other account takes the first one's place from the next start on.
        let isSwapped: Bool
    }

    /// What a kill hits, and how.
    enum Victim: Sendable, Equatable {
        /// A gateway dies.
        case gateway(Int)
        /// A gateway stands still for a while, and then goes on.
        case pausedGateway(Int, Duration)
        /// PostgreSQL crashes, and is started again.
        case database
        /// PostgreSQL crashes, and its standby is promoted.
        case failover

        /// Whether the store is away for a while.
        var isDatabase: Bool { self == .database || self == .failover }
    }

    let kills: [Kill]

    private static let syncDelays: [(Int, Duration)] = [
        (1, .zero), (2, .milliseconds(4)), (2, .milliseconds(20)),
    ]

    init(_ options: TortureOptions) {
        var dice = Dice(seed: options.seed, "kills")
        var swaps = Dice(seed: options.seed, "swaps")
        var powerCuts = Dice(seed: options.seed, "power cuts")
        let cuts = Set((0..<options.kills).shuffled(using: &powerCuts).prefix(options.powerCuts))
        var victims = Dice(seed: options.seed, "victims")
        let databases = (0..<options.kills).shuffled(using: &victims).prefix(options.databaseKills)
        // Each other one finds the server that is the primary then.
        var failovers = Dice(seed: options.seed, "failovers")
        let promotions = databases.shuffled(using: &failovers).prefix(options.failovers)
        var kills: [Kill] = []
        for index in 0..<options.kills {
            let isInStart = !kills.isEmpty && dice.chance(0.2)
            // Kills are spread evenly over the run, give or take half of the distance between two.
            let share = (index + 1) * options.creates / (options.kills + 1)
            let spread = max(1, options.creates / (2 * (options.kills + 1)))
            let jitter = Int.random(in: -spread...spread, using: &dice)
            let due = min(max(share + jitter, kills.last?.afterCreates ?? 1), options.creates)
            let delay = dice.milliseconds(isInStart ? 0...250 : 0...120)
            let isOther = options.has(.swaps) && swaps.chance(0.4)
            let victim: Victim =
                if promotions.contains(index) { .failover } else if databases.contains(index) { .database } else {
                    Victim(&victims, options)
                }
            kills.append(
                Kill(
                    afterCreates: due, delay: delay, isInStart: isInStart, cutsPower: cuts.contains(index),
                    syncDelay: cuts.contains(index) ? powerCuts.pick(Self.syncDelays) : .zero,
                    victim: victim, isSwapped: isOther))
        }
        self.kills = kills
    }
}

extension KillPlan.Victim {
    fileprivate init(_ dice: inout Dice, _ options: TortureOptions) {
        let number = Int.random(in: 0..<options.replicas, using: &dice)
        let isPause = options.replicas > 1 && dice.chance(0.35)
        self = isPause ? .pausedGateway(number, dice.milliseconds(100...7000)) : .gateway(number)
    }
}
