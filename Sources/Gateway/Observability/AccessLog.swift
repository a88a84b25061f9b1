internal import Base
internal import EventLoop
public import GatewayConfiguration
internal import HTTPServer
internal import Synchronization
internal import TaskStore

/// Writes a line for each exchange, at `info`. It bypasses the logger: with a metadata dictionary, each line would cost
/// as much as the rest of a small request.
///
/// At most ten requests per second with refused credentials get a line, so that clients without a key can't fill a
/// disk. At most once per second, a line says how many more there were. All other requests get a line each.
public final class AccessLog: Sendable {
    private let writer: LogWriter
    private let format: LogFormat
    private let refusals = Lock(LineSampler(perSecond: AccessLog.refusalsPerSecond))
    /// Whether lines were left out that have not been reported yet.
    private let hasUnreported = Atomic(false)

    private static let refusalsPerSecond = 10

    /// Longer paths are truncated.
    private static let longestPath = 200

    /// Creates an access log that writes lines in `format` to `writer`.
    public init(writer: LogWriter, format: LogFormat) {
        self.writer = writer
        self.format = format
    }

    /// Writes the line of a finished exchange.
    func write(_ exchange: HTTPExchange, _ note: ExchangeNote) {
        if exchange.status == 401 {
            let verdict = refusals.withLock { refusals in
                defer { hasUnreported.store(refusals.leftOut > 0, ordering: .relaxed) }
                return refusals.take(at: exchange.finishedAt)
            }
            report(verdict.leftOut)
            if !verdict.isWritten { return }
        } else if hasUnreported.load(ordering: .relaxed) {
            report(refusals.withLock { $0.report(at: exchange.finishedAt) })
        }
        writeLine(exchange, note)
    }

    /// The path without the secret names and tokens that grant access by themselves. A request without a route may have
    /// any path, including one with such a secret.
    private static func path(of head: HTTPRequestHead, _ route: Route?) -> String {
        switch route {
        case .hostedPicture: HostedPicture.path + "…"
        case nil, .callback: HostedPicture.withheld(from: CallbackTokens.withheld(from: head.path))
        default: head.path
        }
    }

    /// Reports the lines left out so far. Call it at shutdown.
    public func finish() { report(refusals.withLock { $0.takeLeftOut() }) }

    private func report(_ leftOut: Int) {
        guard leftOut > 0 else { return }
        var line = LogLine(
            format, level: "info", message: "requests with refused credentials were not logged individually",
            label: "kling-gateway")
        line.add("requests", leftOut)
        writer.write(line.finish())
    }

    private func writeLine(_ exchange: HTTPExchange, _ note: ExchangeNote) {
        var line = LogLine(format, level: "info", message: "request", label: "kling-gateway")
        line.add("request_id", note.requestID)
        line.add("client", exchange.peer.host)
        if let head = exchange.head {
            line.add("method", head.method.rawValue)
            line.add("path", String(Self.path(of: head, note.route).prefix(Self.longestPath)))
        }
        line.add("status", exchange.status)
        if let route = note.route { line.add("route", route.rawValue) }
        if let tenant = note.tenant { line.add("tenant", tenant) }
        if let task = note.task { line.add("task", task.description) }
        if let account = note.account { line.add("account", account) }
        if let cause = note.cause { line.add("cause", cause.rawValue) }
        line.add("duration_us", Int((exchange.finishedAt - exchange.receivedAt).nanoseconds / 1000))
        if let upstream = note.upstreamTime { line.add("upstream_us", Int(upstream.nanoseconds / 1000)) }
        line.add("bytes_in", exchange.bytesReceived)
        line.add("bytes_out", exchange.bytesSent)
        if exchange.end != .complete { line.add("end", exchange.end.rawValue) }
        writer.write(line.finish())
    }
}
