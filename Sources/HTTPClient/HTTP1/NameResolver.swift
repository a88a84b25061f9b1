internal import Base
internal import EventLoop

/// Looks up names off the loop, and remembers their addresses for a while. Loop-confined.
///
/// Requests for the same name share a look-up. Only a few run at a time, so that names that a client chose cannot take
/// all threads; a look-up cannot be cut off, but the requests that wait for it can.
final class NameResolver: @unchecked Sendable {
    // @unchecked: everything runs on the loop's thread; a look-up only has a reference, to get back there.
    typealias Waiter = (NameLookup.Result) -> Void

    private struct Known {
        var addresses: [IPAddress]
        var expires: MonotonicTime
    }

    private let loop: EventLoop
    private let cacheTime: Duration
    private let start: (String, @escaping @Sendable (NameLookup.Result) -> Void) -> Bool
    private var known: [String: Known] = [:]
    private var waiting: [String: [UInt64: Waiter]] = [:]
    private var queued: [String] = []
    private var running = 0
    private var lastTicket: UInt64 = 0

    /// How many look-ups run at a time.
    static let concurrency = 8
    /// How many names are remembered.
    private static let maximumKnown = 1024

    /// - Parameter start: starts a look-up, as ``NameLookup/start(_:_:)`` does.
    init(
        loop: EventLoop, cacheTime: Duration,
        start: @escaping (String, @escaping @Sendable (NameLookup.Result) -> Void) -> Bool = NameLookup.start
    ) {
        (self.loop, self.cacheTime, self.start) = (loop, cacheTime, start)
    }

    /// The addresses of a host that need no look-up: a literal's, those of `localhost` (RFC 6761 §6.3), and known ones.
    func addresses(of host: String) -> [IPAddress]? {
        if let address = IPAddress(host) { return [address] }
        if host == "localhost" || host.hasSuffix(".localhost") {
            return [IPAddress(v6: 1), IPAddress(v4: 0x7f00_0001)]
        }
        guard let entry = known[host], entry.expires > .now else { return nil }
        return entry.addresses
    }

    /// Looks a name up. `waiter` is called later, on the loop, unless it is cancelled.
    /// - Returns: a ticket for ``cancel(_:of:)``.
    func lookUp(_ name: String, _ waiter: @escaping Waiter) -> UInt64 {
        lastTicket += 1
        let isNew = waiting[name] == nil
        waiting[name, default: [:]][lastTicket] = waiter
        if isNew {
            queued.append(name)
            startQueued()
        }
        return lastTicket
    }

    /// Drops a waiter. Its look-up goes on for the others, and for the cache.
    func cancel(_ ticket: UInt64, of name: String) { waiting[name]?[ticket] = nil }

    private func startQueued() {
        while running < Self.concurrency, !queued.isEmpty {
            let name = queued.removeFirst()
            if waiting[name]?.isEmpty ?? true {
                waiting[name] = nil
                continue
            }
            running += 1
            let finish: @Sendable (NameLookup.Result) -> Void = { [weak self, loop] result in
                loop.execute { [weak self] in self?.finished(name, result) }
            }
            let isStarted = start(name, finish)
            // The waiters are not called from within `lookUp`.
            if !isStarted { finish(nil) }
        }
    }

    private func finished(_ name: String, _ result: NameLookup.Result) {
        running -= 1
        if let result { remember(name, result) }
        let waiters = waiting.removeValue(forKey: name) ?? [:]
        for (_, waiter) in waiters.sorted(by: { $0.key < $1.key }) { waiter(result) }
        startQueued()
    }

    private func remember(_ name: String, _ addresses: [IPAddress]) {
        let now = MonotonicTime.now
        if known.count >= Self.maximumKnown { known = known.filter { $0.value.expires > now } }
        if known.count >= Self.maximumKnown { known.removeAll(keepingCapacity: true) }
        known[name] = Known(addresses: addresses, expires: now + cacheTime)
    }
}
