/// What goes wrong at Kling, and for how long: an endless sequence.
struct WeatherPlan: Sendable {
    /// A fault, as the simulator's control interface takes it.
    struct Rule: Sendable {
        /// create, query, list or callback.
        let point: String
        let fault: String
        let probability: Double

        init(_ point: String, _ fault: String, _ probability: Double) {
            (self.point, self.fault, self.probability) = (point, fault, probability)
        }
    }

    /// Faults that are in force together. Of several that apply to a request the first decides.
    struct Spell: Sendable {
        let rules: [Rule]
        let duration: Duration
    }

    private var dice: Dice
    private let choices: [(weight: Int, choice: [Rule])]

    init(_ options: TortureOptions) {
        dice = Dice(seed: options.seed, "weather")
        let calls: [(weight: Int, choice: [Rule])] = [
            (4, []), (4, Self.lostAnswers), (2, Self.lostRequests), (3, Self.passingRefusals), (3, Self.slowness),
            (2, Self.blindness), (1, Self.refusals),
        ]
        choices = options.has(.callbacks) ? calls + [(2, Self.unsteadyCallbacks)] : calls
    }

    mutating func next() -> Spell {
        Spell(rules: dice.pick(choices), duration: dice.milliseconds(100...700))
    }

    /// The task is made, and its answer goes astray.
    private static let lostAnswers = [
        Rule("create", "lost-answer", 0.25), Rule("create", "made-http-502", 0.1), Rule("create", "made-5000", 0.05),
        Rule("create", "made-reset-mid-body", 0.05), Rule("create", "made-no-task-id", 0.05),
        Rule("create", "made-not-json", 0.05), Rule("create", "made-silence", 0.03), Rule("query", "reset", 0.2),
    ]
    /// It looks the same to the gateway, but nothing is made.
    private static let lostRequests = [
        Rule("create", "reset", 0.1), Rule("create", "http-500", 0.05), Rule("create", "5000", 0.05),
        Rule("list", "5000", 0.5),
    ]
    private static let passingRefusals = [
        Rule("create", "1302", 0.25), Rule("create", "1303", 0.25), Rule("create", "5001", 0.1),
        Rule("create", "http-429", 0.1), Rule("query", "1302", 0.3), Rule("list", "1302", 0.3),
    ]
    private static let slowness = [
        Rule("create", "slow=0.5", 0.5), Rule("query", "slow=0.4", 0.3), Rule("list", "slow=0.4", 0.3),
    ]
    /// Answers are lost, and nothing can be looked up.
    private static let blindness = [
        Rule("create", "lost-answer", 0.3), Rule("query", "http-502", 0.8), Rule("list", "http-502", 0.8),
    ]
    private static let refusals = [Rule("create", "1301", 0.1)]
    private static let unsteadyCallbacks = [
        Rule("callback", "lost", 0.3), Rule("callback", "duplicate", 0.3), Rule("callback", "late=0.3", 0.3),
        Rule("create", "lost-answer", 0.1),
    ]
}
