internal import Base
public import EventLoop
public import KlingAPI

/// What a simulator is like.
public struct SimulatorConfiguration: Sendable {
    /// How a query for a task that is not known is answered; all three were seen.
    public enum UnknownTaskShape: String, Sendable, CaseIterable {
        /// 400, 1201, "Task not found".
        case invalidParameter = "1201"
        /// 404, 1203.
        case notFound = "1203"
        /// 200 with a task that failed, "task not found".
        case failedTask = "failed"
    }

    /// Where to listen; port 0 takes a free one.
    public var address: SocketAddress = .ipv4(address: 0x7F00_0001, port: 0)
    /// What the URLs of pictures begin with (`https://host`); nil for the address that is listened on.
    public var publicURL: String?
    /// Who may ask for something: at least one.
    public var accounts: [SimulatedAccount]
    /// What ids, durations and pictures are drawn from.
    public var seed: UInt64 = 0
    /// How long tasks take, in milliseconds: each one's is drawn from this range.
    public var duration = 8_000...15_000
    /// How a query for a task that is not known is answered.
    public var unknownTaskShape = UnknownTaskShape.invalidParameter
    /// What goes wrong from the start.
    public var faults: [FaultRule] = []
    /// What callbacks are signed with, each message with all: two while a secret is exchanged, none for callbacks without
    /// a signature.
    public var webhookSignatures: [WebhookSignature] = []
    /// What the new interface says that tasks are paid with.
    public var billing = SimulatedBilling.unit
    /// Whether the new interface fetches the pictures of a create before it takes it. Otherwise it takes any URL.
    public var fetchesPictures = true
    /// Whether requests without a valid token are refused; otherwise they are the first account's.
    public var requireTokens = true
    /// Whether tokens are refused before and after their times.
    public var checksTokenTimes = true
    /// The time, in milliseconds since 1970.
    public var now: @Sendable () -> Int = { Int(WallClock.milliseconds) }

    /// The defaults, for `accounts`.
    public init(accounts: [SimulatedAccount]) {
        precondition(!accounts.isEmpty, "a simulator needs an account")
        self.accounts = accounts
    }
}
