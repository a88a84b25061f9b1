public import KlingAPI

/// What the gateway tells of its work, for metrics and logs. Its functions are called on event loops and must not block.
public protocol GatewayObserver: Sendable {
    /// A request to Kling is over.
    func upstreamCall(_ call: KlingCall, _ end: UpstreamCallEnd)
    /// Something happened that an operator may want to read: static words, with the particulars beside them.
    func event(_ level: GatewayEventLevel, _ message: StaticString, _ details: [(StaticString, String)])
}

/// How a request to Kling ended.
public struct UpstreamCallEnd: Sendable {
    public var outcome: UpstreamCallOutcome
    /// Why there is no envelope, for logs only; nil: there is one.
    public var detail: String?
    /// Kling's envelope, if there is one: its id of the exchange is read where it is logged.
    public var envelope: KlingAnswer?
    public var duration: Duration
}

/// How much an event matters.
public enum GatewayEventLevel: Sendable {
    /// Of interest while something is looked into.
    case debug
    /// Something is wrong that heals by itself, or that concerns one request.
    case warning
    /// The operator must act.
    case error
}
