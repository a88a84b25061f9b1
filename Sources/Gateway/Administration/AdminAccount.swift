internal import Base
public import GatewayConfiguration
internal import KlingAPI
public import TaskStore

/// An account as operators see it: its settings, what was learned about it, and how it is now.
public struct AdminAccount: Sendable {
    private let upstream: Upstream
    private let record: AccountStateRecord?
    private let live: AccountFigures?
    private let isChecked: Bool
    /// What is wrong with it, as found now or stored.
    private let problem: String?

    /// - Parameters:
    ///   - record: what the store knows.
    ///   - live: how it is in a gateway that serves.
    ///   - found: what was found now; nil: the account was not called.
    public init(
        _ upstream: Upstream, _ record: AccountStateRecord?, live: AccountFigures? = nil, found: AccountProblem?? = nil
    ) {
        (self.upstream, self.record, self.live) = (upstream, record, live)
        isChecked = found != nil
        problem = if let found { found?.text } else { record?.problem }
    }

    private var isReached: Bool { problem == nil && (isChecked || record?.wasReached == true) }

    private var state: AccountFigures.State {
        if let live { return live.state }
        if record?.disabledBy != nil { return .disabled }
        return isReached ? .healthy : .unreached
    }

    /// The account as JSON.
    public var json: [UInt8] { JSONWriter.object { write(to: &$0) } }

    func write(to account: inout JSONWriter) {
        account.member("name", upstream.name)
        account.member("url", upstream.url.text)
        account.member("state", state.rawValue)
        account.member("weight", upstream.weight)
        if let concurrency = upstream.concurrency { account.member("concurrency", concurrency) }
        if let limit = record?.learnedLimit { account.member("learned_limit", limit) }
        if let live { account.member("slots_used", live.running) }
        if let slots = live?.limit ?? upstream.concurrency ?? record?.learnedLimit { account.member("slots", slots) }
        account.member("disabled", record?.disabledBy != nil)
        if let code = record?.disabledBy { account.member("disabled_by", code) }
        account.member("reason", orNull: record?.reason)
        account.member("reached", isReached)
        account.member("problem", orNull: problem)
        account.array("models") { models in
            for model in upstream.models { models.string(model) }
        }
        account.array("refused_models") { models in
            for model in record?.refusedModels ?? [] { models.string(model) }
        }
        account.member("api", record?.api ?? upstream.api.rawValue)
        if let hasLookup = record?.hasLookup { account.member("lookup", hasLookup) }
        if let hasUniqueIDs = record?.hasUniqueIDs { account.member("unique", hasUniqueIDs) }
    }

    static let schema = AdminSchemas.object(
        [
            ("name", AdminSchemas.text("Its name in the configuration.")),
            ("url", AdminSchemas.text("Where its API is.")),
            (
                "state",
                AdminSchemas.word(
                    AccountFigures.State.allCases.map(\.rawValue),
                    "Whether it takes creates. Without a running gateway: as of the last change that one stored.")
            ),
            ("weight", AdminSchemas.integer("Its share of the work.")),
            ("disabled", AdminSchemas.flag("Whether Kling has refused it for a reason that the operator must remove.")),
            ("reason", AdminSchemas.textOrNull("Kling's reason.")),
            ("reached", AdminSchemas.flag("Whether it has worked with its present settings.")),
            ("problem", AdminSchemas.textOrNull("What is wrong with its settings.")),
            ("models", AdminSchemas.texts("The only models that it is sent; none: any.")),
            ("refused_models", AdminSchemas.texts("Models that Kling refuses to it.")),
            ("api", AdminSchemas.text("`kolors` or `solutions`; `auto` if not known yet.")),
        ],
        optional: [
            ("concurrency", AdminSchemas.integer("The configured limit of tasks at once.")),
            ("learned_limit", AdminSchemas.integer("The limit as learned from Kling.")),
            ("slots_used", AdminSchemas.integer("How many tasks it runs; only of a running gateway.")),
            ("slots", AdminSchemas.integer("The limit in force.")),
            ("disabled_by", AdminSchemas.integer("Kling's code for the reason.")),
            ("lookup", AdminSchemas.flag("Whether it finds tasks by the gateway's ids.")),
            ("unique", AdminSchemas.flag("Whether it refuses a second create with the same id.")),
        ])
}
