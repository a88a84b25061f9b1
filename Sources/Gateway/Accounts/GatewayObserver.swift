/// What the gateway tells of its work, for metrics and logs. Its functions are called on event loops and must not block.
public protocol GatewayObserver: Sendable {
    /// A request to Kling is over.
    /// - Parameter detail: why there is no envelope, for logs only.
    func upstreamCall(_ call: KlingCall, _ outcome: UpstreamCallOutcome, detail: String?, duration: Duration)
    /// Something happened that an operator may want to read: static words, with the particulars beside them.
    func event(_ level: GatewayEventLevel, _ message: StaticString, _ details: [(StaticString, String)])
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
