public import Base
public import EventLoop
internal import Synchronization

/// A strict HTTP/1.1 server on one or more loops.
///
/// The first loop accepts connections and assigns each one, for its whole life, to the loop with the fewest. The loops
/// must outlive the server: await ``shutdown(grace:)`` before stopping them.
public final class HTTPServer: Sendable {
    private let configuration: HTTPServerConfiguration
    private let contexts: [LoopContext]
    private let ledger: ConnectionLedger
    private let acceptor: Acceptor

    /// How much memory of released bodies is kept for the next ones.
    private static let spareBytes = 64 << 20

    /// Makes a server that does not listen yet.
    /// - Parameters:
    ///   - budget: the budget for bodies of more than 64 KiB; several servers may share one.
    ///   - log: called with notices for the operator, on the first loop; at most once in 10 s for each kind of notice.
    public init(
        configuration: HTTPServerConfiguration, loops: [EventLoop], budget: ByteBudget, service: any HTTPService,
        log: @escaping @Sendable (HTTPServerNotice) -> Void = { _ in }
    ) {
        precondition(!loops.isEmpty, "a server needs a loop")
        self.configuration = configuration
        let ledger = ConnectionLedger(
            loops: loops.count, limit: configuration.connections,
            limitPerAddress: configuration.connectionsPerAddress)
        self.ledger = ledger
        let spares = SpareMappings(limit: Self.spareBytes)
        contexts = loops.indices.map { index in
            LoopContext(
                loop: loops[index], index: index, configuration: configuration, service: service, budget: budget,
                spares: spares, ledger: ledger)
        }
        acceptor = Acceptor(loop: loops[0], contexts: contexts, ledger: ledger, tls: configuration.tls, log: log)
    }

    /// Listens on all addresses, or on none.
    /// - Returns: the addresses, in the same order, with the ports that the system chose.
    /// - Throws: ``HTTPServerError``.
    public func start() async throws(HTTPServerError) -> [SocketAddress] {
        let result = await acceptor.loop.run { [self] () -> Result<[SocketAddress], HTTPServerError> in
            do throws(HTTPServerError) { return .success(try acceptor.listen(configuration)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Accepts the connections that are waiting, then stops listening. Later answers close their connections, and idle
    /// connections are closed.
    public func stopAccepting() async {
        await acceptor.loop.run { [self] in acceptor.stop() }
        for context in contexts { await context.loop.run { context.drain() } }
    }

    /// Stops accepting, waits at most `grace` for exchanges to finish, and abandons the rest: their handlers' tasks are
    /// cancelled.
    ///
    /// Shortly before that, requests that have not completely arrived are refused with 503, so that their clients can
    /// still read the answer. Returns when every connection is closed.
    public func shutdown(grace: Duration) async {
        await stopAccepting()
        let farewell = min(.seconds(1), grace / 2)
        let patience = acceptor.loop.spawn { [contexts, acceptor] in
            do throws(CancellationError) {
                try await acceptor.loop.sleep(for: grace - farewell)
                for context in contexts { await context.loop.run { context.refuseUnread() } }
                try await acceptor.loop.sleep(for: farewell)
            } catch { return }
            for context in contexts { await context.loop.run { context.abandonAll() } }
        }
        await ledger.waitUntilEmpty()
        patience.cancel()
        await patience.value
    }

    /// The server's counts so far.
    public var statistics: HTTPServerStatistics {
        var statistics = ledger.statistics
        statistics.requests = contexts.reduce(0) { $0 + $1.requests.load(ordering: .relaxed) }
        return statistics
    }
}

/// A server's counts.
public struct HTTPServerStatistics: Hashable, Sendable {
    /// Connections open now.
    public var open = 0
    /// Connections admitted since the start.
    public var accepted = 0
    /// Connections refused because there were too many.
    public var refusedFull = 0
    /// Connections refused because there were too many from their address.
    public var refusedForAddress = 0
    /// Idle connections that were closed to make room for new ones.
    public var closedForRoom = 0
    /// Requests whose head was read since the start.
    public var requests = 0
}

/// Something that an operator should know.
public enum HTTPServerNotice: Hashable, Sendable, CustomStringConvertible {
    /// The system has no descriptor or memory for another connection: idle ones are closed, and if none is idle, new
    /// ones are refused.
    case exhausted(SystemCallError)
    /// Idle connections are being closed to make room, because of ``HTTPServerConfiguration/connections``.
    case crowded(limit: Int)
    /// Connections are being refused because of that limit, and none is idle.
    case full(limit: Int)

    public var description: String {
        switch self {
        case .exhausted(let error):
            "idle connections are closed, or new ones refused, for lack of descriptors: \(error)"
        case .crowded(let limit): "idle connections are closed for new ones: \(limit) are open, which is the limit"
        case .full(let limit): "connections are refused: \(limit) are open, which is the limit, and none is idle"
        }
    }
}

/// Why a server could not start.
public enum HTTPServerError: Error, Hashable, CustomStringConvertible {
    /// Something else listens there.
    case addressInUse(SocketAddress)
    /// The system does not allow listening there.
    case cannotListen(SocketAddress, SystemCallError)

    public var description: String {
        switch self {
        case .addressInUse(let address): "\(address) is in use by another process"
        case .cannotListen(let address, let error): "cannot listen on \(address): \(error)"
        }
    }
}
