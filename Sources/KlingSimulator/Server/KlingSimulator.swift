public import EventLoop
public import HTTPClient
public import HTTPServer

/// A stand-in for Kling's open platform. It serves virtual try-on with the same APIs, errors and timing, sends real
/// callbacks, serves real pictures, and injects faults when told to.
///
/// The first of its loops sends the callbacks and fetches pictures. All methods can be called from any thread.
public final class KlingSimulator: Sendable {
    private let host: PlatformHost
    private let server: HTTPServer
    private let callbacks: CallbackSender
    private let pictures: PictureFetcher
    private let loop: EventLoop

    /// How many bytes the request bodies in flight may take together.
    private static let bodyBytes = 1 << 30

    /// Creates a simulator that does not listen yet.
    /// - Parameter loops: at least one; they must outlive the simulator.
    /// - Throws: ``HTTPClient/HTTPClientError`` if the HTTP client for callbacks or for pictures cannot be created.
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
            service: SimulatorResponder(host: host, sender: callbacks, pictures: pictures))
    }

    /// Starts listening.
    /// - Returns: the address, with the port that the system chose if the configured port is 0.
    /// - Throws: ``HTTPServer/HTTPServerError``.
    @discardableResult
    public func start() async throws(HTTPServerError) -> SocketAddress {
        let address = try await server.start()[0]
        host.listens(at: address)
        return address
    }

    /// Waits up to `grace` for requests in flight, then shuts down. Callbacks that are due later are never sent. Await
    /// it before you release the simulator.
    public func stop(grace: Duration = .milliseconds(100)) async {
        await loop.run { [callbacks] in callbacks.stop() }
        pictures.stop()
        await server.shutdown(grace: grace)
    }

    /// The prefix of its picture URLs, without a trailing slash.
    public var url: String { host.base }

    /// Every try-on task that is kept, oldest first within each account.
    public var tasks: [SimulatedTask] { host.withPlatform { $0.tasks } }

    /// The request counts of each account.
    public var figures: [SimulatedFigures] { host.withPlatform { $0.figures } }

    /// Adds a fault rule. If several rules apply to a request, the earliest decides.
    public func add(_ rule: FaultRule) { host.withPlatform { $0.add(rule) } }

    /// Removes all fault rules.
    public func removeFaults() { host.withPlatform { $0.removeFaults() } }

    /// Changes which APIs an account has, until ``reset()``.
    /// - Parameter account: its name; nil for all.
    /// - Returns: whether there is an account of that name.
    @discardableResult
    public func set(_ api: SimulatedAPI, account: String? = nil) -> Bool {
        host.withPlatform { $0.set(api, account: account) }
    }

    /// Adds a task of another solution to an account.
    /// - Returns: its id; nil if there is no such account, or one of the task's ids is taken.
    @discardableResult
    public func add(_ task: ForeignTask, account: String) -> String? {
        let now = host.now
        return host.withPlatform { $0.add(task, account: account, now: now) }
    }

    /// Sends the test callback of Kling's console, which is about a task that does not exist.
    /// - Returns: whether `url` is an `http` or `https` URL.
    @discardableResult
    public func sendTestCallback(to url: String) -> Bool {
        let now = host.now
        defer { callbacks.wake() }
        return host.withPlatform { $0.sendTestCallback(to: url, now: now) }
    }

    /// Forgets everything but the configuration.
    public func reset() { host.withPlatform { $0.reset() } }
}
