public import KlingAPI

/// Receives the gateway's events, for metrics and logs. Its methods are called on event loops and must not block.
public protocol GatewayObserver: Sendable {
    /// A request to Kling has ended.
    func upstreamCall(_ call: KlingCall, _ end: UpstreamCallEnd)
    /// Something happened that an operator may want to know about. The message is a fixed text; everything variable is
    /// in `details`.
    func event(_ level: GatewayEventLevel, _ message: StaticString, _ details: [(StaticString, String)])
}

/// How a request to Kling ended.
public struct UpstreamCallEnd: Sendable {
    public var outcome: UpstreamCallOutcome
    /// Why there is no envelope, for logs only; `nil` if there is one.
    public var detail: String?
    /// Kling's envelope, if there is one. Its `request_id` is read only when it is logged.
    public var envelope: KlingAnswer?
    public var duration: Duration
}

/// The severity of an event.
public enum GatewayEventLevel: Sendable {
    /// Useful for diagnosis.
    case debug
    /// Something is wrong, but it resolves itself or affects only one request.
    case warning
    /// The operator must act.
    case error
}
