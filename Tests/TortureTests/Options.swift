import Foundation

/// The options of a torture run. `make torture` sets them through the environment; without them, the run is short.
struct TortureOptions: Sendable {
    /// What a run covers beyond creates, queries and lists.
    enum Capability: String, Sendable, CaseIterable {
        /// `Idempotency-Key` replays.
        case idempotency
        /// Clients' callbacks are delivered, and Kling's are received.
        case callbacks
        /// Creates wait for an account that is full.
        case queue
        /// Creates go to more than one account.
        case accounts
        /// Tasks reach their end even if no client queries them.
        case watching
        /// Kling takes a while to know a task by the gateway's id.
        case lag
        /// Accounts with API keys, which make a task for every create, even with the same id.
        case resellers
        /// Statuses without Kling's envelope, from proxies and resellers, with nothing made.
        case bare
        /// Queries are answered with another task than the requested one.
        case strangers
        /// Answers to creates name ids that cannot be queried.
        case ids
        /// Connections end while the client waits for an answer, or in the middle of it.
        case cuts
        /// Creates without a key are resent until an answer was read, and equal creates are made on purpose.
        case resends
        /// The store cannot be written to for a while.
        case outages
        /// The gateway's wall clock steps.
        case clocks
        /// Another Kling account takes over the name of an old one.
        case swaps
        /// One Kling account speaks its newer API only.
        case dialects
        /// One tenant has a budget for fewer tasks than its clients want.
        case budgets
    }

    /// How often the gateway is killed, not counting the kill before the last start.
    var kills = 8
    /// How many of the kills are power cuts, which also lose what was not synced.
    var powerCuts = 6
    /// How many creates clients make; each may take several requests.
    var creates = 160
    /// How many gateways share a store in PostgreSQL, behind HAProxy; 1: one gateway on SQLite.
    var replicas = 1
    /// How many of the kills hit PostgreSQL in place of a gateway.
    var databaseKills = 0
    /// How many of those end with the promotion of a standby, in place of a restart: one at most.
    var failovers = 0
    /// The seed of every choice in the run.
    var seed: UInt64 = .random(in: 0..<1_000_000_000)
    /// How many clients make creates concurrently.
    var clients = 8
    /// How many clients only query.
    var pollers = 3
    /// How long the run may take to settle once the faults are over, in seconds.
    var settling = 150
    /// Whether the gateway's syncs do nothing, and a power cut loses everything since the one before: a run that cannot
    /// pass.
    var ignoresSyncs = false
    /// What the run covers.
    var capabilities = Set(Capability.allCases)

    func has(_ capability: Capability) -> Bool { capabilities.contains(capability) }

    /// Reads `TORTURE_REPLICAS`, `_DATABASE_KILLS`, `_FAILOVERS`, `_KILLS`, `_CUTS`, `_CREATES`, `_SEED`, `_SETTLING`
    /// (seconds), and `_WITHOUT`, a list of capabilities to leave out. An empty variable counts as unset.
    init(_ environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        func value<Value>(_ name: String, _ read: (String) -> Value?, into target: inout Value) throws {
            guard let text = environment["TORTURE_" + name], !text.isEmpty else { return }
            guard let value = read(text) else { throw OptionError(name: name, text: text) }
            target = value
        }
        try value("KILLS", Self.count, into: &kills)
        try value("CUTS", Self.count, into: &powerCuts)
        try value("REPLICAS", Self.count, into: &replicas)
        try value("DATABASE_KILLS", Self.count, into: &databaseKills)
        try value("FAILOVERS", Self.count, into: &failovers)
        try value("CREATES", Self.count, into: &creates)
        try value("SEED", UInt64.init, into: &seed)
        try value("SETTLING", Self.count, into: &settling)
        var without: [Capability] = []
        try value("WITHOUT", Self.list, into: &without)
        capabilities.subtract(without)
        if failovers > min(1, replicas - 1, databaseKills, kills) {
            throw OptionError(
                name: "FAILOVERS", text: "\(failovers)",
                problem: "can be 1 at most, and needs REPLICAS=2 and DATABASE_KILLS=1 or more")
        }
        if replicas > 1 {
            // These change files of the one process that serves from SQLite, or its clock.
            powerCuts = 0
            capabilities.subtract([.outages, .clocks, .swaps])
        }
    }

    /// The budget of the tenant that has one: about half of what its clients want.
    var budget: Int { max(3, creates / 8) }

    /// Whether there is time for what takes long.
    var isLong: Bool { creates >= 400 }

    /// How long a run may go on making creates, whatever the machine.
    var limit: Duration { .seconds(60 + creates / 5 + kills * 5) }

    private static func count(_ text: String) -> Int? { Int(text).flatMap { $0 >= 0 ? $0 : nil } }

    private static func list(_ text: String) -> [Capability]? {
        let names = text.split(separator: ",")
        let known = names.compactMap { Capability(rawValue: String($0)) }
        return known.count == names.count ? known : nil
    }

    /// The error for a variable with an invalid value.
    struct OptionError: Error, CustomStringConvertible {
        let name, text: String
        var problem = "is not a valid value"
        var description: String { "TORTURE_\(name) is '\(text)', which \(problem)" }
    }
}
