/// How wrong the gateway's wall clock is, and for how long, as an endless sequence.
struct ClockPlan: Sendable {
    /// A period with one clock shift.
    struct Spell: Sendable {
        /// How far the clock is ahead of the true time, in seconds.
        let shift: Int
        let duration: Duration
    }

    private var dice: Dice
    private static let units = [60, 3600, 86_400, 30 * 86_400, 366 * 86_400]

    init(_ options: TortureOptions) { dice = Dice(seed: options.seed, "clock") }

    /// Every other spell has the right time, so that each step is seen forwards and backwards.
    mutating func next() -> [Spell] {
        let unit = dice.pick(Self.units.map { (1, $0) })
        let shift = Int.random(in: 1...20, using: &dice) * unit * (dice.chance(0.5) ? 1 : -1)
        return [
            Spell(shift: 0, duration: dice.milliseconds(500...3000)),
            Spell(shift: shift, duration: dice.milliseconds(300...2500)),
        ]
    }
}
