/// What goes wrong at Kling, and for how long: an endless sequence.
struct WeatherPlan: Sendable {
    /// Faults that are in force together. Of several that apply to a request the first decides.
    struct Spell: Sendable {
        /// As the simulator's control interface takes them.
        let rules: [(on: String, fault: String, probability: Double)]
        let duration: Duration
    }

    private var dice: Dice
    private let spells: [(weight: Int, choice: [(String, String, Double)])]

    init(_ options: TortureOptions) {
        dice = Dice(seed: options.seed, "weather")
        spells = options.has(.callbacks) ? Self.spells + [(2, Self.callbackSpell)] : Self.spells
    }

    mutating func next() -> Spell {
        Spell(rules: dice.pick(spells), duration: dice.milliseconds(100...700))
    }

    private static let spells: [(weight: Int, choice: [(String, String, Double)])] = [
        (4, []),
        // The task is made, and its answer goes astray.
        (
            4,
            [
                ("create", "lost-answer", 0.25), ("create", "made-http-502", 0.1), ("create", "made-5000", 0.05),
                ("create", "made-reset-mid-body", 0.05), ("create", "made-no-task-id", 0.05),
                ("create", "made-not-json", 0.05), ("create", "made-silence", 0.03), ("query", "reset", 0.2),
            ]
        ),
        // The same from the client's side, but nothing is made.
        (2, [("create", "reset", 0.1), ("create", "http-500", 0.05), ("create", "5000", 0.05), ("list", "5000", 0.5)]),
        // Refusals that pass.
        (
            3,
            [
                ("create", "1302", 0.25), ("create", "1303", 0.25), ("create", "5001", 0.1),
                ("create", "http-429", 0.1),
                ("query", "1302", 0.3), ("list", "1302", 0.3),
            ]
        ),
        (3, [("create", "slow=0.3", 0.5), ("query", "slow=0.4", 0.3), ("list", "slow=0.4", 0.3)]),
        // Nothing can be looked up.
        (2, [("create", "lost-answer", 0.3), ("query", "http-502", 0.8), ("list", "http-502", 0.8)]),
        (1, [("create", "1301", 0.1)]),
    ]

    private static let callbackSpell = [
        ("callback", "lost", 0.3), ("callback", "duplicate", 0.3), ("callback", "late=0.3", 0.3),
        ("create", "lost-answer", 0.1),
    ]
}
