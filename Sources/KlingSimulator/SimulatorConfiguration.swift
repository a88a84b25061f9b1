internal import Base
public import EventLoop
public import KlingAPI

/// The configuration of a simulator.
public struct SimulatorConfiguration: Sendable {
    /// How a query for an unknown task is answered. All three answers have been observed.
    public enum UnknownTaskShape: String, Sendable, CaseIterable {
        /// 400, 1201, "Task not found".
        case invalidParameter = "1201"
        /// 404, 1203.
        case notFound = "1203"
        /// 200 with a failed task, "task not found".
        case failedTask = "failed"
    }

    /// The address to listen on; port 0 chooses a free one.
    public var address: SocketAddress = .ipv4(address: 0x7F00_0001, port: 0)
    /// The prefix of picture URLs (`https://host`); nil for the listening address.
    public var publicURL: String?
    /// The accounts: at least one.
    public var accounts: [SimulatedAccount]
    /// The seed of ids, durations and pictures.
    public var seed: UInt64 = 0
    /// How long tasks take, in milliseconds: each task's duration is drawn from this range.
    public var duration = 8_000...15_000
    /// How a query for an unknown task is answered.
    public var unknownTaskShape = UnknownTaskShape.invalidParameter
    /// The initial fault rules.
    public var faults: [FaultRule] = []
    /// The signatures of callbacks; each message carries all of them. Two while a secret is rotated, none for unsigned
    /// callbacks.
    public var webhookSignatures: [WebhookSignature] = []
    /// How tasks are paid for, as the newer API reports it.
    public var billing = SimulatedBilling.unit
    /// Whether the newer API fetches the pictures of a create before it accepts it. Otherwise it accepts any URL.
    public var fetchesPictures = true
    /// Whether requests without a valid token are refused; otherwise they count as the first account's.
    public var requireTokens = true
    /// Whether tokens are refused before their `nbf` and from their `exp` on.
    public var checksTokenTimes = true
    /// The time, in milliseconds since 1970.
    public var now: @Sendable () -> Int = { Int(WallClock.milliseconds) }

    /// The default configuration, for `accounts`.
    public init(accounts: [SimulatedAccount]) {
        precondition(!accounts.isEmpty, "a simulator needs an account")
        self.accounts = accounts
    }
}
