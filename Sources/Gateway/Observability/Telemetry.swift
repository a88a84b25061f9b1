internal import Base
internal import EventLoop
internal import HTTPServer
internal import KlingAPI
public import Logging

/// Where what happens goes: into the metrics, and into the log.
public struct Telemetry: GatewayObserver {
    let metrics: Metrics
    let logger: Logger
    let accessLog: AccessLog?

    /// Counts in `metrics`, and writes to `logger` and `accessLog`.
    public init(metrics: Metrics, logger: Logger, accessLog: AccessLog?) {
        self.metrics = metrics
        self.logger = logger
        self.accessLog = accessLog
    }

    func began() { metrics.exchangeBegan() }
    func ended() { metrics.exchangeEnded() }

    /// An exchange is over.
    func finished(_ exchange: HTTPExchange) {
        // An exchange that was abandoned has no answer to carry its note.
        let note =
            exchange.note as? ExchangeNote ?? exchange.head.map { ExchangeNote(requestID: RequestID.of($0.headers)) }
        let total = exchange.answeredAt - exchange.receivedAt
        let upstream = note?.upstreamTime
        metrics.exchange(
            route: note?.route?.rawValue ?? "none", status: exchange.status, own: total - (upstream ?? .zero),
            upstream: upstream, received: exchange.bytesReceived, sent: exchange.bytesSent)
        accessLog?.write(exchange, note)
    }

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
                "account": "\(call.account.name)", "kind": "\(call.kind.rawValue)", "outcome": "\(outcome.word)",
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
