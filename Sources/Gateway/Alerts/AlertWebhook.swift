public import Base
public import EventLoop
public import KlingAPI
public import Logging

/// Sends alerts to the operator's webhook, one after the other, in the background.
///
/// An alert that gets no 2xx is tried three times and then logged. At most 64 alerts wait; the oldest ones give way.
/// Any thread may call any function.
public final class AlertWebhook: Sendable {
    /// How a test was answered, or why it was not.
    public typealias TestOutcome = Result<CallbackReply, CallbackFailure>

    private struct Message {
        let id: String
        let alert: String
        let body: [UInt8]
    }

    private struct State {
        var waiting: [Message] = []
        var isSending = false
        var counts = AlertCounts()
    }

    private static let capacity = 64
    /// The pauses after attempts that failed.
    private static let pauses: [Duration] = [.seconds(5), .seconds(30)]
    private static let timeout = Duration.seconds(15)

    private let sender: any CallbackSender
    private let url: Secret
    private let signature: WebhookSignature
    private let userAgent: String
    private let logger: Logger
    private let background: Background
    private let state = Lock(State())

    /// Creates a webhook that has nothing to send.
    /// - Parameters:
    ///   - loop: where alerts are sent from.
    ///   - sender: may connect to any address, because the operator chose the URL.
    ///   - url: where alerts go. It may contain a token, so it is never logged.
    public convenience init(
        loop: EventLoop, sender: any CallbackSender, url: Secret, signature: WebhookSignature, userAgent: String,
        logger: Logger
    ) {
        self.init(
            background: Background(loop: loop), sender: sender, url: url, signature: signature, userAgent: userAgent,
            logger: logger)
    }

    init(
        background: Background, sender: any CallbackSender, url: Secret, signature: WebhookSignature,
        userAgent: String, logger: Logger
    ) {
        self.background = background
        self.sender = sender
        self.url = url
        self.signature = signature
        self.userAgent = userAgent
        self.logger = logger
    }

    /// The alerts that were sent or lost so far.
    var counts: AlertCounts { state.withLock { $0.counts } }

    /// Sends an event when those before it are done.
    /// - Parameter now: milliseconds since 1970.
    func send(_ event: AlertEvent, at now: Int64) {
        let message = Message(
            id: Self.makeID(), alert: event.condition.id, body: AlertMessage.body(event, at: now))
        let (lost, starts) = state.withLock { state in
            let lost = state.waiting.count >= Self.capacity ? state.waiting.removeFirst() : nil
            if lost != nil { state.counts.lost += 1 }
            state.waiting.append(message)
            defer { state.isSending = true }
            return (lost, !state.isSending)
        }
        if let lost { report(lost, "too many alerts wait") }
        if starts { background.start { [self] in await sendAll() } }
    }

    /// Sends one test event, without retries. Call it on the loop.
    public func test() async -> TestOutcome {
        let now = WallClock.milliseconds
        return await attempt(Message(id: Self.makeID(), alert: "test", body: AlertMessage.test(at: now)))
    }

    /// Drops what waits, and cancels what is being sent.
    public func stop() async {
        state.withLock { $0.waiting = [] }
        await background.stop()
    }

    // MARK: Sending

    private func sendAll() async {
        while let message = next() { await deliver(message) }
    }

    private func next() -> Message? {
        state.withLock { state in
            state.isSending = !state.waiting.isEmpty
            return state.isSending ? state.waiting.removeFirst() : nil
        }
    }

    private func deliver(_ message: Message) async {
        var outcome = await attempt(message)
        for pause in Self.pauses where !outcome.isDelivered {
            guard await background.sleep(for: pause) else { return }
            outcome = await attempt(message)
        }
        let isDelivered = outcome.isDelivered
        state.withLock { state in
            if isDelivered { state.counts.delivered += 1 } else { state.counts.lost += 1 }
        }
        if !isDelivered, !Task.isCancelled { report(message, outcome.reason) }
    }

    private func attempt(_ message: Message) async -> TestOutcome {
        let request = CallbackMessage(
            id: message.id, url: url.reveal(), body: message.body, signatures: [signature],
            at: WallClock.milliseconds, userAgent: userAgent, timeout: Self.timeout)
        do { return .success(try await sender.send(request)) } catch { return .failure(error) }
    }

    private func report(_ message: Message, _ reason: String) {
        logger.warning(
            "an alert could not be sent to the webhook", metadata: ["alert": "\(message.alert)", "reason": "\(reason)"])
    }

    private static func makeID() -> String {
        var random = SystemRandomNumberGenerator()
        return "msg_alert_" + String(random.next(), radix: 16) + String(random.next(), radix: 16)
    }
}

extension AlertWebhook.TestOutcome {
    fileprivate var isDelivered: Bool {
        if case .success(let reply) = self { (200...299).contains(reply.status) } else { false }
    }

    /// Why it was not delivered, without the host that the failure may name.
    fileprivate var reason: String {
        switch self {
        case .success(let reply): "answered with \(reply.status)"
        case .failure(let failure): String(failure.reason.prefix { $0 != ":" })
        }
    }
}
