import TestKit

/// What goes wrong at Kling, and for how long, as an endless sequence.
struct WeatherPlan: Sendable {
    /// A fault, as the simulator's control interface takes it.
    struct Rule: Sendable {
        /// `create`, `query`, `list` or `callback`.
        let point: String
        let fault: String
        let probability: Double
        /// The account that it happens to; nil for all.
        var account: String?

        init(_ point: String, _ fault: String, _ probability: Double) {
            (self.point, self.fault, self.probability) = (point, fault, probability)
        }

        func at(_ account: String) -> Rule {
            var rule = self
            rule.account = account
            return rule
        }

        var json: String {
            var members = [#""on":"\#(point)","fault":"\#(fault)","probability":\#(probability)"#]
            if let account { members.append(#""account":"\#(account)""#) }
            return "{" + members.joined(separator: ",") + "}"
        }
    }

    /// Faults that are in force together. If several apply to a request, the first one decides.
    struct Spell: Sendable {
        let rules: [Rule]
        let duration: Duration
    }

    private var dice: Dice
    private let choices: [(weight: Int, choice: [Rule])]
    /// The rules that hold in every spell.
    private let climate: [Rule]
    private let strict: String
    private let hasBareStatuses: Bool
    /// What one account answers to every create, and for how many more spells: an account without quota stays without
    /// it for a while.
    private var denial: Rule?
    private var denialSpells = 0

    init(_ options: TortureOptions) {
        dice = Dice(seed: options.seed, "weather")
        var choices: [(weight: Int, choice: [Rule])] = [
            (4, []), (4, Self.lostAnswers), (2, Self.lostRequests), (3, Self.passingRefusals), (3, Self.slowness),
            (2, Self.blindness), (1, Self.refusals),
        ]
        if options.has(.callbacks) { choices.append((2, Self.unsteadyCallbacks)) }
        if options.has(.strangers) { choices.append((3, Self.strangers)) }
        if options.has(.ids) { choices.append((2, Self.oddIDs)) }
        let accounts = AccountPlan(options)
        strict = accounts.strict.name
        hasBareStatuses = options.has(.bare)
        if hasBareStatuses { choices.append((3, Self.bareStatuses(at: strict))) }
        self.choices = choices
        // Some client must be waiting for Kling when the store becomes unavailable.
        let slow = options.has(.outages) ? [Rule("create", "slow=1.5", 0.04)] : []
        climate = slow + (options.has(.lag) ? accounts.accounts.flatMap(Self.lag) : [])
    }

    mutating func next() -> Spell {
        var rules = dice.pick(choices)
        if hasBareStatuses, denialSpells == 0, dice.chance(0.05) { (denial, denialSpells) = (disabling(), 20) }
        if denialSpells > 0, let denial {
            rules.insert(denial, at: 0)
            denialSpells -= 1
        }
        return Spell(rules: rules + climate, duration: dice.milliseconds(100...700))
    }

    private static func lag(_ account: AccountPlan.Account) -> [Rule] {
        guard account.lag.seconds != "0" else { return [] }
        let points = account.lag.isOfLists ? ["query", "list"] : ["query"]
        return points.map { Rule($0, "lag=\(account.lag.seconds)", 1).at(account.name) }
    }

    /// An answer that says that the account or its address cannot be used.
    private mutating func disabling() -> Rule {
        let status = dice.pick([401, 402, 403, 404, 405, 501].map { (1, $0) })
        let body = dice.pick([(1, ""), (1, "-error"), (1, "-code")])
        return Rule("create", "http-\(status)\(body)", 1).at(strict)
    }

    /// The statuses with which a proxy in front of an account may refuse a create.
    static let proxyRefusals = ["411", "413-error", "413", "414", "415-error", "431"]

    /// The account's proxy refuses some creates, and some queries are refused.
    private static func bareStatuses(at account: String) -> [Rule] {
        let creates = proxyRefusals.map { Rule("create", "http-\($0)", 0.1) }
        let queries = ["401-error", "403-code", "404", "404-error", "405", "501"].map {
            Rule("query", "http-\($0)", 0.05)
        }
        return creates.map { $0.at(account) } + queries + [Rule("create", "lost-answer", 0.1)]
    }

    /// Queries are answered with other tasks.
    private static let strangers = [
        Rule("query", "stranger", 0.2), Rule("query", "stranger-renumbered", 0.15),
        Rule("query", "stranger-unnamed", 0.15), Rule("create", "lost-answer", 0.25),
        Rule("create", "made-http-502", 0.1),
    ]
    /// The task is made, and the id in its answer is unusable.
    private static let oddIDs = [Rule("create", "made-long-id", 0.15), Rule("create", "made-control-id", 0.15)]

    /// The task is made, and its answer is lost.
    private static let lostAnswers = [
        Rule("create", "lost-answer", 0.25), Rule("create", "made-http-502", 0.1), Rule("create", "made-5000", 0.05),
        Rule("create", "made-reset-mid-body", 0.05), Rule("create", "made-no-task-id", 0.05),
        Rule("create", "made-not-json", 0.05), Rule("create", "made-silence", 0.03), Rule("query", "reset", 0.2),
    ]
    /// To the gateway this looks the same, but nothing is made.
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
    /// Answers are lost, and look-ups fail.
    private static let blindness = [
        Rule("create", "lost-answer", 0.3), Rule("query", "http-502", 0.8), Rule("list", "http-502", 0.8),
    ]
    private static let refusals = [Rule("create", "1301", 0.1)]
    private static let unsteadyCallbacks = [
        Rule("callback", "lost", 0.3), Rule("callback", "duplicate", 0.3), Rule("callback", "late=0.3", 0.3),
        Rule("create", "lost-answer", 0.1),
    ]
}
