public import Base

/// An account of the simulated platform: the keys that open it, and how much it may do at once.
public struct SimulatedAccount: Sendable, Hashable {
    /// One way to prove that one is the account's owner.
    public enum Key: Sendable, Hashable {
        /// An access key, whose tokens are signed with a secret key.
        case signed(accessKey: String, secretKey: Secret)
        /// A key that is shown as it is.
        case plain(Secret)
    }

    /// What the journal calls the account; it must be unique.
    public var name: String
    /// Its keys; they share all that the account has.
    public var keys: [Key]
    /// How many tasks may run at once; nil for any number.
    public var concurrency: Int?

    /// An account with one key or several.
    public init(name: String, keys: [Key], concurrency: Int? = nil) {
        self.name = name
        self.keys = keys
        self.concurrency = concurrency
    }
}
