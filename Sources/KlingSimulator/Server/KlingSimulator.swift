public import EventLoop
public import HTTPClient
public import HTTPServer

/// A stand-in for Kling's open platform: its virtual try-on, with the same interface, errors and timing, real callbacks
/// and real pictures, and whatever goes wrong when it is told to.
///
/// The first of its loops sends the callbacks and fetches pictures. From any thread.
public final class KlingSimulator: Sendable {
    private let host: PlatformHost
    private let server: HTTPServer
    private let callbacks: CallbackSender
    private let pictures: PictureFetcher
    private let loop: EventLoop

    /// How many bytes the bodies that are being read may take together.
    private static let bodyBytes = 1 << 30

    /// Makes a simulator that does not listen yet.
    /// - Parameter loops: at least one; they must outlive the simulator.
    /// - Throws: ``HTTPClient/HTTPClientError`` if callbacks could not be sent, or pictures not be fetched.
    public init(configuration: SimulatorConfiguration, loops: [EventLoop]) throws(HTTPClientError) {
        precondition(!loops.isEmpty, "a simulator needs a loop")
        loop = loops[0]
        host = PlatformHost(configuration)
        callbacks = CallbackSender(
            host: host, client: try HTTPClient(loop: loop), loop: loop, signatures: configuration.webhookSignatures)
        pictures = try PictureFetcher(loop: loop)
        server = HTTPServer(
            configuration: HTTPServerConfiguration(addresses: [configuration.address]), loops: loops,
            budget: ByteBudget(capacity: Self.bodyBytes),
            responder: SimulatorResponder(host: host, sender: callbacks, pictures: pictures))
    }

    /// Listens.
    /// - Returns: the address, with the port that the system chose if there was a choice.
    /// - Throws: ``HTTPServer/HTTPServerError``.
    @discardableResult
    public func start() async throws(HTTPServerError) -> SocketAddress {
        let address = try await server.start()[0]
        host.listens(at: address)
        return address
    }

    /// Answers what is being asked, for at most `grace`, and ends. Callbacks that are due later are never sent. Await it
    /// before the simulator is released.
    public func stop(grace: Duration = .milliseconds(100)) async {
        await loop.run { [callbacks] in callbacks.stop() }
        pictures.stop()
        await server.shutdown(grace: grace)
    }

    /// What the URLs of its pictures begin with, without a slash at the end.
    public var url: String { host.base }

    /// Every task that is kept, oldest first within each account.
    public var tasks: [SimulatedTask] { host.withPlatform { $0.tasks } }

    /// How often each account was asked for what.
    public var figures: [SimulatedFigures] { host.withPlatform { $0.figures } }

    /// Lets something go wrong from now on. Of several rules that apply the earliest decides.
    public func add(_ rule: FaultRule) { host.withPlatform { $0.add(rule) } }

    /// Lets nothing go wrong any more.
    public func removeFaults() { host.withPlatform { $0.removeFaults() } }

    /// Gives an account other interfaces, until ``reset()``.
    /// - Parameter account: its name; nil for all.
    /// - Returns: whether there is one of that name.
    @discardableResult
    public func set(_ api: SimulatedAPI, account: String? = nil) -> Bool {
        host.withPlatform { $0.set(api, account: account) }
    }

    /// Adds a task of another solution to an account's.
    /// - Returns: its id; nil if there is no such account, or one of the task's ids is taken.
    @discardableResult
    public func add(_ task: ForeignTask, account: String) -> String? {
        let now = host.now
        return host.withPlatform { $0.add(task, account: account, now: now) }
    }

    /// Sends what Kling's console sends to try a receiver: news of a task that nobody knows.
    /// - Returns: whether `url` is one that something can be sent to.
    @discardableResult
    public func sendTestCallback(to url: String) -> Bool {
        let now = host.now
        defer { callbacks.wake() }
        return host.withPlatform { $0.sendTestCallback(to: url, now: now) }
    }

    /// Forgets everything but the configuration.
    public func reset() { host.withPlatform { $0.reset() } }
}
