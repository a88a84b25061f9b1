public import Base
internal import TaskStore

/// Sends requests to Kling. Every request to Kling goes through it.
public protocol KlingUpstream: Sendable {
    /// Sends one request and returns the whole answer, whatever its status. Never sends anything twice.
    ///
    /// It runs on the caller's event loop. Cancelling the task cancels the transfer, unless
    /// the call is not ``KlingCall/isCancellable``.
    func send(_ call: KlingCall) async throws(KlingFailure) -> KlingReply
}

/// One request to Kling.
public struct KlingCall: Sendable {
    /// What it is for.
    public let kind: UpstreamCallKind
    /// How it is sent.
    public let method: UpstreamMethod
    /// The account to call.
    public let account: Account
    /// The tasks that it creates or queries; empty for a list.
    let tasks: [TaskID]
    /// What follows the account's base URL, such as `/v1/images/kolors-virtual-try-on`, with the id or query.
    public let path: String
    /// The bearer token.
    public var token: String
    /// The body; empty for GET.
    public var body: [ByteSlice] = []
    /// How long the whole exchange may take.
    public let timeout: Duration
    /// Whether cancelling the task ends the call. A call in a task that nothing cancels is cheaper without.
    public var isCancellable = true
}

/// An HTTP method that Kling's APIs use.
public enum UpstreamMethod: String, Sendable {
    case get = "GET"
    case post = "POST"
}

/// Kling's answer.
public struct KlingReply: Sendable {
    /// The HTTP status.
    public let status: Int
    /// The body.
    public let body: [UInt8]

    /// Creates an answer.
    public init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}

/// Why there is no answer.
public struct KlingFailure: Error, Sendable {
    /// False only if it is certain that no byte of the request was written, so that Kling cannot have acted on it.
    public let wasSent: Bool
    /// What kind of failure it is.
    public let fault: UpstreamFault
    /// Why there was no connection; `nil` if there was one, or if that is not known.
    public let connection: ConnectionFault?
    /// What happened, for logs only.
    public let detail: String

    /// Describes a failure.
    public init(_ fault: UpstreamFault, wasSent: Bool, connection: ConnectionFault? = nil, detail: String) {
        self.fault = fault
        self.wasSent = wasSent
        self.connection = connection
        self.detail = detail
    }
}

/// Why there is no connection to an account's host.
public enum ConnectionFault: Sendable {
    /// The host's name has no address.
    case nameLookup
    /// It was refused, or the host is unreachable.
    case connect
    /// The TLS handshake failed.
    case tls
    /// It was not made in time.
    case timeout
}
