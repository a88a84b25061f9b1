public import Base
public import EventLoop
internal import Synchronization

/// A strict HTTP/1.1 server on a number of loops.
///
/// The first loop accepts and hands each connection to the loop with the fewest; there it stays. The loops must outlive
/// the server: await ``shutdown(grace:)`` before they are stopped.
public final class HTTPServer: Sendable {
    private let configuration: HTTPServerConfiguration
    private let contexts: [LoopContext]
    private let ledger: ConnectionLedger
    private let acceptor: Acceptor

    /// Makes a server that does not listen yet.
    /// - Parameters:
    ///   - budget: what bodies of more than 64 KiB are reserved from; several servers may share one.
    ///   - log: told what an operator should know, on the first loop; at most once in 10 s for each kind of notice.
    public init(
        configuration: HTTPServerConfiguration, loops: [EventLoop], budget: ByteBudget, responder: any HTTPResponder,
        log: @escaping @Sendable (HTTPServerNotice) -> Void = { _ in }
    ) {
        precondition(!loops.isEmpty, "a server needs a loop")
        self.configuration = configuration
        let ledger = ConnectionLedger(
            loops: loops.count, limit: configuration.connections,
            limitPerAddress: configuration.connectionsPerAddress)
        self.ledger = ledger
        contexts = loops.indices.map { index in
            LoopContext(
                loop: loops[index], index: index, configuration: configuration, responder: responder, budget: budget,
                ledger: ledger)
        }
        acceptor = Acceptor(loop: loops[0], contexts: contexts, ledger: ledger, tls: configuration.tls, log: log)
    }

    /// Listens on all addresses, or on none.
    /// - Returns: the addresses, in their order, with the ports that the system chose.
    /// - Throws: ``HTTPServerError``.
    public func start() async throws(HTTPServerError) -> [SocketAddress] {
        let result = await acceptor.loop.run { [self] () -> Result<[SocketAddress], HTTPServerError> in
            do throws(HTTPServerError) { return .success(try acceptor.listen(configuration)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Takes what connections are waiting, then listens no more. Later answers close their connections, and idle
    /// connections close.
    public func stopAccepting() async {
        await acceptor.loop.run { [self] in acceptor.stop() }
        for context in contexts { await context.loop.run { context.drain() } }
    }

    /// Stops accepting, waits at most `grace` for exchanges to finish, and gives up those that have not: their
    /// handlers' tasks are cancelled. Requests that have not wholly arrived are refused with 503 a moment before that, so
    /// that their clients can read it. Returns when every connection is closed.
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

    /// What has happened so far.
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
    /// Connections let in since the start.
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

/// What an operator should know.
public enum HTTPServerNotice: Hashable, Sendable, CustomStringConvertible {
    /// The system has no descriptor or memory for another connection: idle ones are closed, and where none is, new ones
    /// are refused.
    case exhausted(SystemCallError)
    /// Idle connections are being closed to make room, because of ``HTTPServerConfiguration/connections``.
    case crowded(limit: Int)
    /// Connections are being refused because of that limit, and none is idle.
    case full(limit: Int)

    public var description: String {
        switch self {
        case .exhausted(let error):
            "idle connections are closed, or new ones refused, for want of descriptors: \(error)"
        case .crowded(let limit): "idle connections are closed for new ones: \(limit) are open, which is the limit"
        case .full(let limit): "connections are refused: \(limit) are open, which is the limit, and none is idle"
        }
    }
}

/// Why a server does not start.
public enum HTTPServerError: Error, Hashable, CustomStringConvertible {
    /// Something else listens there.
    case addressInUse(SocketAddress)
    /// The system does not let us listen there.
    case cannotListen(SocketAddress, SystemCallError)

    public var description: String {
        switch self {
        case .addressInUse(let address): "\(address) is in use by another process"
        case .cannotListen(let address, let error): "cannot listen on \(address): \(error)"
        }
    }
}
