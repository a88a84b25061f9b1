internal import Base
internal import EventLoop
internal import Gateway
internal import GatewayConfiguration
internal import KlingAPI
internal import Logging

/// Tells operators what is wrong: the monitor, and the webhook with its own connections.
struct AlertService: Sendable {
    /// The most descriptors that the webhook takes: those that libcurl keeps open, and a connection that is set up.
    static let descriptors = 8

    /// Looks for what is wrong.
    let monitor: AlertMonitor
    private let sender: HTTPCallbackSender?

    /// Assembles it, without starting it.
    init(
        _ configuration: Configuration.Alerts, loop: EventLoop, sources: MetricsSources, metrics: Metrics,
        logger: Logger
    ) throws {
        sender = configuration.url == nil ? nil : try HTTPCallbackSender(toOperatorFrom: loop)
        let webhook = sender.flatMap { AlertWebhook(configuration, loop: loop, sender: $0, logger: logger) }
        monitor = AlertMonitor(loop: loop, sources: sources, metrics: metrics, webhook: webhook, logger: logger)
    }

    /// Stops looking and sending.
    func stop() async {
        await monitor.stop()
        sender?.shutdown()
    }

    /// Sends one signed test event to the configured webhook.
    /// - Returns: the status of the answer.
    static func test(_ configuration: Configuration.Alerts) async throws -> Int {
        let loop = try EventLoop(name: "alerts")
        defer { loop.stop() }
        let sender = try HTTPCallbackSender(toOperatorFrom: loop)
        defer { sender.shutdown() }
        let logger = Logger(label: "kling-gateway") { _ in SwiftLogNoOpLogHandler() }
        guard let webhook = AlertWebhook(configuration, loop: loop, sender: sender, logger: logger) else {
            throw ServiceError("no webhook is configured: set alerts.url and alerts.secret")
        }
        switch await loop.spawn({ await webhook.test() }).value {
        case .success(let reply): return reply.status
        case .failure(let failure): throw ServiceError("no answer: \(failure.reason)")
        }
    }
}

extension AlertWebhook {
    /// The webhook that the configuration names; nil if it names none.
    fileprivate convenience init?(
        _ configuration: Configuration.Alerts, loop: EventLoop, sender: HTTPCallbackSender, logger: Logger
    ) {
        guard let url = configuration.url, let signature = configuration.secret.flatMap({ WebhookSignature($0) })
        else { return nil }
        self.init(
            loop: loop, sender: sender, url: url, signature: signature, userAgent: callbackUserAgent, logger: logger)
    }
}
