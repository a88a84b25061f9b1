internal import Base
internal import EventLoop
internal import HTTPServer
internal import KlingAPI
public import Logging
internal import TaskStore

/// Records what happens in the metrics and in the log.
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

    /// Records a finished exchange.
    func finished(_ exchange: HTTPExchange, _ note: ExchangeNote) {
        let total = exchange.answeredAt - exchange.receivedAt
        let upstream = note.upstreamTime
        metrics.exchange(
            route: note.route?.rawValue ?? "none", status: exchange.status, own: total - (upstream ?? .zero),
            upstream: upstream, received: exchange.bytesReceived, sent: exchange.bytesSent)
        accessLog?.write(exchange, note)
    }

    // MARK: GatewayObserver

    public func upstreamCall(_ call: KlingCall, _ end: UpstreamCallEnd) {
        metrics.upstreamCall(
            account: call.account.name, kind: call.kind, outcome: end.outcome, duration: end.duration)
        // A call that Kling answered is logged only at debug level.
        let level: Logger.Level = end.detail == nil ? .debug : .warning
        guard logger.logLevel <= level else { return }
        var metadata = Logger.Metadata.ofOrigin
        metadata["account"] = "\(call.account.name)"
        metadata["kind"] = "\(call.kind.rawValue)"
        metadata["outcome"] = "\(end.outcome.word)"
        metadata["detail"] = "\(end.detail ?? "-")"
        metadata["duration_us"] = "\(end.duration.nanoseconds / 1000)"
        if let id = end.envelope?.requestID { metadata["upstream_request_id"] = "\(id)" }
        if !call.tasks.isEmpty { metadata["task"] = "\(call.tasks.map(\.description).joined(separator: ","))" }
        logger.log(level: level, "call to Kling", metadata: metadata)
    }

    public func event(_ level: GatewayEventLevel, _ message: StaticString, _ details: [(StaticString, String)]) {
        guard logger.logLevel <= level.loggerLevel else { return }
        var metadata = Logger.Metadata.ofOrigin
        for (name, value) in details { metadata["\(name)"] = "\(value)" }
        logger.log(level: level.loggerLevel, "\(message)", metadata: metadata)
    }
}

extension Logger.Metadata {
    /// The fields that all lines of the current task have.
    fileprivate static var ofOrigin: Self {
        guard let (name, value) = Origin.current?.field else { return [:] }
        return [name: "\(value)"]
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
