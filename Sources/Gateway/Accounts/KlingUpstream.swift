public import Base
internal import TaskStore

/// How the gateway reaches Kling; the one door through which requests leave.
public protocol KlingUpstream: Sendable {
    /// Sends one request and returns the whole answer, whatever its status. Never sends anything twice.
    ///
    /// It runs on the caller's event loop. When the task is cancelled, so is the transfer.
    func send(_ call: KlingCall) async throws(KlingFailure) -> KlingReply
}

/// One request to Kling.
public struct KlingCall: Sendable {
    /// What it is for.
    public let kind: UpstreamCallKind
    /// How it is sent.
    public let method: UpstreamMethod
    /// Whom to ask.
    public let account: Account
    /// The tasks that it makes or asks for; none for a list.
    let tasks: [TaskID]
    /// What follows the account's base URL, such as `/v1/images/kolors-virtual-try-on`, with id or query.
    public let path: String
    /// What follows `Bearer `.
    public var token: String
    /// The body; empty for GET.
    public var body: [ByteSlice] = []
    /// How long the whole exchange may take.
    public let timeout: Duration
}

/// A method of HTTP, as far as Kling is asked by it.
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

    /// An answer as it came.
    public init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}

/// Why there is no answer.
public struct KlingFailure: Error, Sendable {
    /// False only if surely no byte of the request was written: Kling cannot have acted on it.
    public let wasSent: Bool
    /// What kind of failure it is.
    public let fault: UpstreamFault
    /// What happened, for logs only.
    public let detail: String

    /// Describes a failure.
    public init(_ fault: UpstreamFault, wasSent: Bool, detail: String) {
        self.fault = fault
        self.wasSent = wasSent
        self.detail = detail
    }
}
