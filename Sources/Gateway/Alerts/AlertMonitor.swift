internal import Base
public import EventLoop
public import Logging

/// Looks every few seconds for what operators should know, logs it, and sends it to their webhook.
///
/// It remembers nothing over a restart: what is still wrong is raised again, once. Any thread may call any function.
public final class AlertMonitor: Sendable {
    private struct State {
        var book = AlertBook()
        var callbacks = CounterWindow(AlertFigures.callbackWindow)
        var answers = CounterWindow(AlertFigures.answerWindow)
    }

    private static let interval = Duration.seconds(5)

    private let sources: MetricsSources
    private let metrics: Metrics
    private let webhook: AlertWebhook?
    private let logger: Logger
    private let background: Background
    private let state = Lock(State())

    /// Creates a monitor, which does nothing before ``start()``.
    /// - Parameters:
    ///   - loop: where it runs.
    ///   - sources: the figures of the gateway's parts.
    ///   - webhook: where alerts are sent; nil: they are only logged.
    public init(
        loop: EventLoop, sources: MetricsSources, metrics: Metrics, webhook: AlertWebhook?, logger: Logger
    ) {
        background = Background(loop: loop)
        self.sources = sources
        self.metrics = metrics
        self.webhook = webhook
        self.logger = logger
    }

    /// Starts to look.
    public func start() {
        background.start { [self] in
            while await background.sleep(for: Self.interval) { look(at: .now, wall: WallClock.milliseconds) }
        }
    }

    /// Stops, and drops what was not sent yet.
    public func stop() async {
        await background.stop()
        await webhook?.stop()
    }

    /// The alerts that are raised, and those that were sent or lost so far.
    public var counts: AlertCounts {
        var counts = webhook?.counts ?? AlertCounts()
        let raised = state.withLock { $0.book.raised }
        counts.raised = AlertKind.allCases.map { ($0.rawValue, raised[$0] ?? 0) }
        return counts
    }

    /// Compares the figures with what operators know.
    /// - Parameter wall: milliseconds since 1970.
    func look(at now: MonotonicTime, wall: Int64) {
        let events = state.withLock { state in
            let conditions = figures(&state, at: now).conditions
            return state.book.update(conditions, at: now)
        }
        for event in events {
            log(event)
            webhook?.send(event, at: wall)
        }
    }

    private func figures(_ state: inout State, at now: MonotonicTime) -> AlertFigures {
        var figures = AlertFigures()
        figures.accounts = sources.accounts?() ?? []
        figures.tasks = sources.tasks?() ?? TaskFigures()
        figures.budgets = sources.budgets?() ?? []
        let sent = sources.deliveries?() ?? DeliveryFigures()
        let callbacks = state.callbacks.growth([sent.delivered, sent.retried, sent.gaveUp], at: now)
        figures.callbacks = AlertFigures.Callbacks(
            delivered: callbacks[0], failed: callbacks[1] + callbacks[2], givenUp: callbacks[2])
        let counted = metrics.answers
        let answers = state.answers.growth([counted.all, counted.errors], at: now)
        figures.answers = AlertFigures.Answers(all: answers[0], errors: answers[1])
        return figures
    }

    private func log(_ event: AlertEvent) {
        let condition = event.condition
        var fields: Logger.Metadata = ["alert": "\(condition.kind.rawValue)", "summary": "\(condition.summary)"]
        if !condition.subject.isEmpty { fields["subject"] = "\(condition.subject)" }
        for detail in condition.details {
            switch detail.value {
            case .text(let text), .number(let text): fields["\(detail.name)"] = "\(text)"
            }
        }
        switch event.step {
        case .raised: logger.warning("an alert is raised", metadata: fields)
        case .reminded: logger.warning("an alert is still raised", metadata: fields)
        case .cleared: logger.notice("an alert is cleared", metadata: fields)
        }
    }
}
