internal import Base
internal import EventLoop

/// The platform where several loops can reach it, and the clock and the address that go with it.
final class PlatformHost: Sendable {
    private let platform: Lock<SimulatedPlatform>
    private let address = Lock("")
    private let publicURL: String?
    private let clock: @Sendable () -> Int

    init(_ configuration: SimulatorConfiguration) {
        platform = Lock(SimulatedPlatform(configuration))
        publicURL = configuration.publicURL
        clock = configuration.now
    }

    /// In milliseconds since 1970.
    var now: Int { clock() }

    /// What a picture's URL begins with.
    var base: String { publicURL ?? address.withLock { $0 } }

    /// Notes where the platform is to be reached.
    func listens(at address: SocketAddress) {
        let text =
            switch address {
            // "Every address" is none that could be connected to.
            case .ipv4(0, let port), .ipv6(0, let port, _): "http://127.0.0.1:\(port)"
            default: "http://\(address)"
            }
        self.address.withLock { $0 = text }
    }

    /// Lends the platform, to one thread at a time.
    func withPlatform<Result>(_ body: (inout sending SimulatedPlatform) -> sending Result) -> sending Result {
        platform.withLock(body)
    }

    /// The pictures that have to be looked at before a request is answered, by their URLs.
    func picturesToFetch(for request: SimulatedRequest) -> [String] {
        let now = now
        return platform.withLock { $0.picturesToFetch(for: request, now: now) }
    }

    /// Answers a request, and says whether callbacks are due at another time than before.
    func answer(_ request: SimulatedRequest) -> (answer: SimulatedAnswer, hasNewDeadline: Bool) {
        let (now, base) = (now, base)
        return platform.withLock { platform in
            let deadline = platform.nextDeadline
            let answer = platform.answer(request, now: now, base: base)
            return (answer, platform.nextDeadline != deadline)
        }
    }

    /// Takes out the callbacks that are due.
    func dueCallbacks() -> (callbacks: [SimulatedCallback], next: Int?) {
        let (now, base) = (now, base)
        return platform.withLock { platform in
            let due = platform.dueCallbacks(now: now, base: base)
            return (due, platform.nextDeadline)
        }
    }
}
