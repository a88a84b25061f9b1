import TestKit

/// How far the gateway's wall clock is off, and for how long, as an endless sequence.
struct ClockPlan: Sendable {
    /// A period with one clock shift.
    struct Period: Sendable {
        /// How far the clock is ahead of the true time, in seconds.
        let shift: Int
        let duration: Duration
    }

    private var dice: Dice
    private static let units = [60, 3600, 86_400, 30 * 86_400, 366 * 86_400]

    init(_ options: TortureOptions) { dice = Dice(seed: options.seed, "clock") }

    /// The next two periods: one with the correct time, then one with a shift, so that the clock steps away and back.
    mutating func next() -> [Period] {
        let unit = dice.pick(Self.units.map { (1, $0) })
        let shift = Int.random(in: 1...20, using: &dice) * unit * (dice.chance(0.5) ? 1 : -1)
        return [
            Period(shift: 0, duration: dice.milliseconds(500...3000)),
            Period(shift: shift, duration: dice.milliseconds(300...2500)),
        ]
    }
}
