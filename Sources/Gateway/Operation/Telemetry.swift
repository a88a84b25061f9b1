internal import Base
internal import EventLoop
internal import HTTPServer
internal import KlingAPI
public import Logging

/// Where what happens goes: into the metrics, and into the log.
public struct Telemetry: GatewayObserver {
    let metrics: Metrics
    let logger: Logger

    /// Counts in `metrics`, writes to `logger`: a line an exchange at `info`.
    public init(metrics: Metrics, logger: Logger) {
        self.metrics = metrics
        self.logger = logger
    }

    func began() { metrics.exchangeBegan() }
    func ended() { metrics.exchangeEnded() }

    /// An exchange is over.
    func finished(_ exchange: HTTPExchange) {
        let note = exchange.note as? ExchangeNote
        let total = exchange.finishedAt - exchange.receivedAt
        let upstream = note?.upstreamTime
        metrics.exchange(
            route: note?.route?.rawValue ?? "none", status: exchange.status, own: total - (upstream ?? .zero),
            upstream: upstream, received: exchange.bytesReceived, sent: exchange.bytesSent)
        guard logger.logLevel <= .info else { return }
        var line: Logger.Metadata = [
            "request_id": "\(note?.requestID ?? "-")",
            "client": "\(exchange.peer.host)",
            "status": "\(exchange.status)",
            "duration_us": "\(total.nanoseconds / 1000)",
            "bytes_in": "\(exchange.bytesReceived)",
            "bytes_out": "\(exchange.bytesSent)",
        ]
        if let head = exchange.head {
            line["method"] = "\(head.method.rawValue)"
            line["path"] = "\(head.path.prefix(Self.longestPath))"
        }
        if let route = note?.route { line["route"] = "\(route.rawValue)" }
        if let tenant = note?.tenant { line["tenant"] = "\(tenant)" }
        if let cause = note?.cause { line["cause"] = "\(cause.rawValue)" }
        if let upstream { line["upstream_us"] = "\(upstream.nanoseconds / 1000)" }
        if exchange.end != .complete { line["end"] = "\(exchange.end.rawValue)" }
        logger.info("request", metadata: line)
    }

    /// Longer paths are cut in the log.
    private static let longestPath = 200

    // MARK: GatewayObserver

    public func upstreamCall(
        _ call: KlingCall, _ outcome: UpstreamCallOutcome, detail: String?, duration: Duration
    ) {
        metrics.upstreamCall(account: call.account.name, kind: call.kind, outcome: outcome, duration: duration)
        // A call that Kling answered is not worth a line of its own, unless somebody looks for it.
        let level: Logger.Level = detail == nil ? .debug : .warning
        guard logger.logLevel <= level else { return }
        logger.log(
            level: level, "call to Kling",
            metadata: [
                "account": "\(call.account.name)", "kind": "\(call.kind.rawValue)", "outcome": "\(outcome)",
                "detail": "\(detail ?? "-")", "duration_us": "\(duration.nanoseconds / 1000)",
            ])
    }

    public func event(_ level: GatewayEventLevel, _ message: StaticString, _ details: [(StaticString, String)]) {
        var metadata: Logger.Metadata = [:]
        for (name, value) in details { metadata["\(name)"] = "\(value)" }
        logger.log(level: level.loggerLevel, "\(message)", metadata: metadata)
    }
}

extension GatewayEventLevel {
    fileprivate var loggerLevel: Logger.Level {
        switch self {
        case .debug: .debug
        case .warning: .warning
        case .error: .error
        }
    }
}
