internal import Base
internal import EventLoop
internal import HTTPClient
internal import KlingAPI

/// Posts callbacks when they are due. Each is tried once: whether Kling retries is not documented.
final class CallbackSender: @unchecked Sendable {
    // @unchecked: `timer` and `isStopped` are only accessed on the loop, where `run` and `stop` are called; the other
    // properties never change.
    private let host: PlatformHost
    private let client: HTTPClient
    private let loop: EventLoop
    private let signatures: [WebhookSignature]
    private var timer: Timer?
    private var isStopped = false

    private static let timeout = Duration.seconds(10)

    init(host: PlatformHost, client: HTTPClient, loop: EventLoop, signatures: [WebhookSignature]) {
        self.host = host
        self.client = client
        self.loop = loop
        self.signatures = signatures
    }

    /// Checks again which callbacks are due. Can be called from any thread.
    func wake() { loop.execute { [self] in run() } }

    /// Stops sending. Must be called on the loop.
    func stop() {
        loop.assertCurrent()
        isStopped = true
        timer = nil
        client.shutdown()
    }

    private func run() {
        guard !isStopped else { return }
        let (due, next) = host.dueCallbacks()
        for messages in Dictionary(grouping: due, by: \.taskID).values {
            loop.spawn { [self] in
                for message in messages { await send(message) }
            }
        }
        guard let next else { return }
        let timer = timer ?? Timer(loop: loop) { [unowned self] in run() }
        self.timer = timer
        // One more millisecond, so that the timer does not fire a fraction of a millisecond early.
        timer.arm(after: .milliseconds(max(0, next - host.now) + 1))
    }

    private func send(_ message: SimulatedCallback) async {
        var request = HTTPClientRequest(.post, message.url)
        request.headers = message.headers(signatures: signatures, now: host.now)
        request.body = [ByteSlice(Bytes(message.body), 0..<message.body.count)]
        request.timeout = Self.timeout
        let answer = try? await client.execute(request)
        host.withPlatform { $0.noteCallback(delivered: answer.map { (200...299).contains($0.status) } ?? false) }
    }
}
