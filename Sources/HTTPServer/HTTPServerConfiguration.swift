public import EventLoop

/// The addresses, limits and timeouts of a server.
public struct HTTPServerConfiguration: Sendable {
    /// The addresses to listen on; port 0 takes a free one.
    public var addresses: [SocketAddress]
    /// The TLS of TCP connections; they are plain if it is nil, and Unix-domain sockets are always plain. A handshake
    /// must finish within ``headTimeout``.
    public var tls: TLSContext?
    /// The access mode of Unix-domain socket files.
    public var unixSocketMode: UInt32 = 0o660
    /// The most connections at once; 0 for no limit. To admit more, those that have been idle longest are closed; if
    /// none is idle, new ones are answered 503 and closed.
    public var connections = 10_000
    /// The most connections at once from one address; 0 for no limit.
    public var connectionsPerAddress = 0

    /// The most bytes of a request's head (431).
    public var headBytes = 32 << 10
    /// The most header fields of a request (431).
    public var headFields = 200
    /// The most bytes of a request's target (414).
    public var targetBytes = 8 << 10

    /// How long a request's head may take, from its first byte (408).
    public var headTimeout: Duration = .seconds(10)
    /// How long a body may take in addition to the time that ``minimumRate`` allows for it (408). The same holds for
    /// the client reading an answer.
    public var bodyTimeout: Duration = .seconds(20)
    /// The lowest average rate of a body or an answer, in bytes per second.
    public var minimumRate = 16 << 10
    /// How long a connection stays open without a request.
    public var idleTimeout: Duration = .seconds(75)
    /// How long the client may send nothing after the last answer before the connection is closed. What it still sends
    /// is read and discarded, so that it can read that answer.
    public var lingerTimeout: Duration = .seconds(5)
    /// How long input is read after the last answer at most, if it arrives at ``minimumRate``.
    public var lingerLimit: Duration = .seconds(60)
    /// How long a body waits for its bytes of the ``ByteBudget``.
    public var budgetTimeout: Duration = .seconds(10)

    /// The defaults, on `addresses`.
    public init(addresses: [SocketAddress]) { self.addresses = addresses }

    /// The most descriptors that a server with this many connections uses: for those, for the few that wait for others
    /// to be closed, and one more; not for its listeners.
    public static func descriptors(forConnections count: Int) -> Int {
        count + WaitingPlaces.count(besides: count) + 1
    }

    /// The most connections that a server with this many descriptors may have: the inverse of
    /// ``descriptors(forConnections:)``.
    public static func connections(forDescriptors count: Int) -> Int {
        max(count - 1 - WaitingPlaces.most, (count - 2) * 8 / 9)
    }
}
