import Foundation

/// What a run of the torture is like. `make torture` sets it through the environment; without it the run is short.
struct TortureOptions: Sendable {
    /// What a gateway can do beyond creates, queries and lists.
    enum Capability: String, Sendable, CaseIterable {
        /// `Idempotency-Key` replays.
        case idempotency
        /// Clients' callbacks are delivered, and Kling's are taken in.
        case callbacks
        /// Creates wait for an account that is full.
        case queue
        /// Creates go to more than the first account.
        case accounts
        /// Tasks come to their end without anybody asking for them.
        case watching
        /// Kling is slow to know a task by the gateway's id.
        case lag
        /// Accounts with API keys, which make as many tasks of one id as they are asked for.
        case resellers
        /// Statuses without Kling's envelope, from proxies and resellers, with nothing made.
        case bare
        /// Queries are answered with another task than the one that was asked for.
        case strangers
        /// Answers to creates name ids that nobody can ask for.
        case ids
        /// Connections end while an answer is waited for, or in the middle of it.
        case cuts
        /// Creates without a key are sent again until an answer was read, and equal creates are made on purpose.
        case resends
        /// The store cannot be written to for a while.
        case outages
        /// The gateway's wall clock steps.
        case clocks
        /// Another account of Kling's comes under the name of an old one.
        case swaps
        /// One account of Kling's speaks its newer API alone.
        case dialects
    }

    /// How often the gateway is killed, the kill before the last start not counted.
    var kills = 8
    /// How many creates clients want done; each may take several requests.
    var creates = 160
    /// What every choice of the run is drawn from.
    var seed: UInt64 = .random(in: 0..<1_000_000_000)
    /// How many clients make creates at the same time.
    var clients = 8
    /// How many clients only ask.
    var pollers = 3
    /// How long the dust may take to settle once nothing goes wrong any more, in seconds.
    var settling = 150
    /// What is tortured.
    var capabilities = Set(Capability.allCases)

    func has(_ capability: Capability) -> Bool { capabilities.contains(capability) }

    /// Reads `TORTURE_KILLS`, `_CREATES`, `_SEED`, `_SETTLING` (seconds), and `_WITHOUT`, a list of capabilities to
    /// leave alone. What is empty is as if it were not there.
    init(_ environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        func value<Value>(_ name: String, _ read: (String) -> Value?, into target: inout Value) throws {
            guard let text = environment["TORTURE_" + name], !text.isEmpty else { return }
            guard let value = read(text) else { throw OptionError(name: name, text: text) }
            target = value
        }
        try value("KILLS", Self.count, into: &kills)
        try value("CREATES", Self.count, into: &creates)
        try value("SEED", UInt64.init, into: &seed)
        try value("SETTLING", Self.count, into: &settling)
        var without: [Capability] = []
        try value("WITHOUT", Self.list, into: &without)
        capabilities.subtract(without)
    }

    /// Whether there is time for what takes long.
    var isLong: Bool { creates >= 400 }

    /// The time that a run may take before it stops making creates, whatever the machine.
    var limit: Duration { .seconds(60 + creates / 5 + kills * 5) }

    private static func count(_ text: String) -> Int? { Int(text).flatMap { $0 >= 0 ? $0 : nil } }

    private static func list(_ text: String) -> [Capability]? {
        let names = text.split(separator: ",")
        let known = names.compactMap { Capability(rawValue: String($0)) }
        return known.count == names.count ? known : nil
    }

    /// A variable that cannot be made sense of.
    struct OptionError: Error, CustomStringConvertible {
        let name, text: String
        var description: String { "TORTURE_\(name) is '\(text)', of which nothing can be made" }
    }
}
