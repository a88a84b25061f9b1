public import KlingAPI
internal import TaskStore

/// The state of one account, for metrics and operators.
public struct AccountFigures: Sendable, Hashable {
    /// Whether it takes creates.
    public enum State: String, Sendable, CaseIterable {
        case healthy, saturated, cooling, disabled, unreached
    }

    /// The operator's name for it.
    public let name: String
    /// Whether it takes creates.
    public let state: State
    /// Kling's code, if it is disabled.
    public let disabledBy: KlingCode?
    /// Kling's message, if it is disabled; what is wrong, if it was never reached. For operators only.
    public let reason: String?
    /// Models that Kling does not let the account use.
    public let refusedModels: [String]
    /// How many slots are taken.
    public let running: Int
    /// The limit in force, configured or learned; `nil`: none is known.
    public let limit: Int?
    /// The learned limit, if it is the one in force.
    public let learnedLimit: Int?
    /// How many creates may be in flight at once; each acceptance doubles it.
    public let window: Int
    /// Its share of the work relative to other accounts.
    public let weight: Int
    /// Which of Kling's APIs the gateway uses for it.
    public let dialect: KlingDialect

    /// Whether it is disabled because its units are used up or its owner owes money.
    public var isOutOfUnits: Bool {
        state == .disabled && (disabledBy == .resourcePackExhausted || disabledBy == .accountInArrears)
    }
}

extension AccountState {
    /// The current figures. Call ``advance(to:)`` with the current time first.
    var figures: AccountFigures {
        AccountFigures(
            name: account.name, state: displayState, disabledBy: disablement?.code,
            reason: disablement?.reason ?? (contact.blocksCreates ? contact.problem?.text : nil),
            refusedModels: denials.keys.sorted(), running: slots.count, limit: limit.current,
            learnedLimit: limit.learned, window: start.window, weight: account.weight,
            dialect: account.capabilities.dialect)
    }

    /// What must survive a restart, as of `time` in milliseconds since 1970.
    func record(at time: Int64) -> AccountStateRecord {
        AccountStateRecord(
            name: account.name, disabledBy: disablement?.code.rawValue, reason: disablement?.reason,
            refusedModels: denials.keys.sorted(), learnedLimit: limit.learned,
            hasLookup: account.capabilities.learnedTraits.hasLookup,
            hasUniqueIDs: account.capabilities.learnedTraits.hasUniqueIDs, identity: account.identity.number,
            api: account.capabilities.learnedTraits.dialect?.rawValue, wasReached: contact.wasReached,
            problem: contact.problem?.text, updatedAt: time)
    }

    /// The phase without its details, unless the account gets no creates because it was never reached.
    var displayState: AccountFigures.State {
        switch phase {
        case .disabled: .disabled
        case _ where contact.blocksCreates: .unreached
        case .healthy: .healthy
        case .saturated: .saturated
        case .cooling: .cooling
        }
    }

    /// Changes this state by `body`.
    /// - Returns: the transition, if ``displayState`` changed.
    mutating func change(_ body: (inout AccountState) -> Void) -> AccountTransition? {
        let old = displayState
        body(&self)
        return displayState == old ? nil : AccountTransition(from: old, to: figures)
    }

    private var disablement: Disablement? {
        if case .disabled(let disablement) = phase { disablement } else { nil }
    }
}

/// What keeps an account from taking a create, ordered by how soon it clears.
enum Obstacle: Int, Comparable {
    /// Its slots are taken.
    case full
    /// It is rate limited.
    case rateLimited
    /// It cannot be reached, or is down.
    case cooling
    /// It has never been reached, because its settings or the network are wrong.
    case unreached
    /// The operator must act.
    case disabled

    static func < (one: Obstacle, other: Obstacle) -> Bool { one.rawValue < other.rawValue }
}

extension AccountState {
    /// What keeps the account from taking a create of `model` if it has no room now; `nil` if it does not serve the
    /// model.
    func obstacle(to model: String) -> Obstacle? {
        guard account.serves(model) else { return nil }
        if let denial = denials[model], !denial.isOpen { return .disabled }
        if displayState == .unreached { return .unreached }
        return switch phase {
        case .healthy, .saturated: .full
        case .cooling(let cooling): cooling.cause == .rateLimited ? .rateLimited : .cooling
        case .disabled(let disablement): disablement.isOpen ? .full : .disabled
        }
    }
}
