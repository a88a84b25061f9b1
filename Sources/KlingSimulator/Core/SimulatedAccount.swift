public import Base

/// An account of the simulated platform: its credentials, limits and behaviour.
public struct SimulatedAccount: Sendable, Hashable {
    /// A credential of the account.
    public enum Key: Sendable, Hashable {
        /// An access key, whose tokens are signed with a secret key.
        case signed(accessKey: String, secretKey: Secret)
        /// A key that is sent as it is.
        case plain(Secret)
    }

    /// What the journal calls the account; it must be unique.
    public var name: String
    /// Its keys. All of them share the account's tasks and limits.
    public var keys: [Key]
    /// How many tasks may run at once; nil for no limit.
    public var concurrency: Int?
    /// Whether a second create with the same `external_task_id` is refused, as at Kling. Otherwise it makes another
    /// task, as at resellers.
    public var isUnique = true
    /// Whether tasks are found by their `external_task_id`. Otherwise only by the platform's own id.
    public var hasLookup = true

    /// The APIs that it has at the start.
    public var api = SimulatedAPI.kolors

    /// Creates an account with one or more keys.
    public init(name: String, keys: [Key], concurrency: Int? = nil) {
        self.name = name
        self.keys = keys
        self.concurrency = concurrency
    }
}

extension SimulatedAccount {
    /// The syntax of an account on the command line.
    public static let usage =
        "NAME=ACCESS_KEY:SECRET_KEY[:CONCURRENCY] or NAME=API_KEY, with [,slots=CONCURRENCY][,not-unique][,no-lookup]"
        + "[,api=\(SimulatedAPI.usage)]"

    /// Parses an account from the command line: `kling=ak:sk:5`, `reseller=sk-1,slots=3,not-unique`.
    public init?(_ text: String) {
        let sides = text.split(separator: "=", maxSplits: 1)
        guard sides.count == 2 else { return nil }
        let words = sides[1].split(separator: ",", omittingEmptySubsequences: false)
        let parts = words[0].split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
        guard (1...3).contains(parts.count), !parts.contains("") else { return nil }
        let key = parts.count == 1 ? Key.plain(Secret(parts[0])) : .signed(parts[0], Secret(parts[1]))
        self.init(name: String(sides[0]), keys: [key])
        if parts.count == 3 {
            guard setSlots(parts[2]) else { return nil }
        }
        for word in words.dropFirst() {
            guard set(word) else { return nil }
        }
    }

    private mutating func setSlots(_ text: String) -> Bool {
        concurrency = Int(text)
        return concurrency.map { $0 > 0 } == true
    }

    private mutating func set(_ word: Substring) -> Bool {
        switch word {
        case "not-unique": isUnique = false
        case "no-lookup": hasLookup = false
        case let slots where slots.hasPrefix("slots="): return setSlots(String(slots.dropFirst("slots=".count)))
        case let word where word.hasPrefix("api="):
            guard let api = SimulatedAPI(rawValue: String(word.dropFirst("api=".count))) else { return false }
            self.api = api
        default: return false
        }
        return true
    }
}

extension SimulatedAccount.Key {
    fileprivate static func signed(_ accessKey: String, _ secretKey: Secret) -> Self {
        .signed(accessKey: accessKey, secretKey: secretKey)
    }
}
