import TestKit

/// How the receiver of callbacks reacts to them.
struct ReceiverPlan: Sendable {
    /// What it does with one callback.
    enum Reaction: Sendable {
        case takes
        case takesSlowly(Duration)
        /// Answers with this status.
        case refuses(Int)
        /// Resets the connection after it has read everything.
        case resets
    }

    private let seed: UInt64

    init(_ options: TortureOptions) { seed = options.seed }

    /// The reaction to the first arrival of the `arrival`th message for a create. Later arrivals of the same message
    /// are taken, as the run would otherwise have to wait for hours of retries.
    func reaction(create: Int, arrival: Int) -> Reaction {
        var dice = Dice(seed: seed, "callback \(create) \(arrival)")
        let delay = dice.milliseconds(50...400)
        return dice.pick([(80, .takes), (8, .takesSlowly(delay)), (6, .refuses(500)), (2, .refuses(302)), (4, .resets)])
    }
}
