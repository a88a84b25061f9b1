internal import Base
internal import EventLoop

/// Shares the platform between loops, together with its clock and its address.
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

    /// The prefix of picture URLs.
    var base: String { publicURL ?? address.withLock { $0 } }

    /// Records the address at which the platform listens.
    func listens(at address: SocketAddress) {
        let text =
            switch address {
            // Clients cannot connect to the wildcard address.
            case .ipv4(0, let port), .ipv6(0, let port, _): "http://127.0.0.1:\(port)"
            default: "http://\(address)"
            }
        self.address.withLock { $0 = text }
    }

    /// Gives `body` exclusive access to the platform.
    func withPlatform<Result>(_ body: (inout sending SimulatedPlatform) -> sending Result) -> sending Result {
        platform.withLock(body)
    }

    /// The URLs of the pictures to fetch before a request is answered.
    func picturesToFetch(for request: SimulatedRequest) -> [String] {
        let now = now
        return platform.withLock { $0.picturesToFetch(for: request, now: now) }
    }

    /// Answers a request, and says whether the time of the next callback has changed.
    func answer(_ request: SimulatedRequest) -> (answer: SimulatedAnswer, hasNewDeadline: Bool) {
        let (now, base) = (now, base)
        return platform.withLock { platform in
            let deadline = platform.nextDeadline
            let answer = platform.answer(request, now: now, base: base)
            return (answer, platform.nextDeadline != deadline)
        }
    }

    /// Removes and returns the callbacks that are due, and says when the next one is.
    func dueCallbacks() -> (callbacks: [SimulatedCallback], next: Int?) {
        let (now, base) = (now, base)
        return platform.withLock { platform in
            let due = platform.dueCallbacks(now: now, base: base)
            return (due, platform.nextDeadline)
        }
    }
}
