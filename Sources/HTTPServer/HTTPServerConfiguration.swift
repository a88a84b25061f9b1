public import EventLoop

/// What a server listens on and what it puts up with.
public struct HTTPServerConfiguration: Sendable {
    /// Where to listen; port 0 takes a free one.
    public var addresses: [SocketAddress]
    /// What TCP connections are encrypted with; without it they are plain, as those of Unix-domain sockets always are.
    /// A handshake must be over within ``headTimeout``.
    public var tls: TLSContext?
    /// The access mode of Unix-domain socket files.
    public var unixSocketMode: UInt32 = 0o660
    /// Connections at once. For more, those idle longest are closed; where none is idle, new ones are answered 503 and
    /// closed. 0: no limit.
    public var connections = 10_000
    /// Connections at once from one address. 0: no limit.
    public var connectionsPerAddress = 0

    /// Bytes of a request's head (431).
    public var headBytes = 32 << 10
    /// Header fields of a request (431).
    public var headFields = 200
    /// Bytes of a request's target (414).
    public var targetBytes = 8 << 10
    /// Bytes of an unread body that are discarded after an early answer before the connection is cut.
    public var discardedBytes = 32 << 20

    /// How long a request's head may take from its first byte on (408).
    public var headTimeout: Duration = .seconds(10)
    /// How long a body may take on top of what `minimumRate` gives it (408); the same for the client's reading of an
    /// answer.
    public var bodyTimeout: Duration = .seconds(20)
    /// Bytes a second that a body, or an answer, must make on average.
    public var minimumRate = 16 << 10
    /// How long a connection stays open without a request.
    public var idleTimeout: Duration = .seconds(75)
    /// How long a connection is read after its last answer, so that the client can read that.
    public var lingerTimeout: Duration = .seconds(5)
    /// How long a body waits for its share of the ``ByteBudget``.
    public var budgetTimeout: Duration = .seconds(10)

    /// The defaults, on `addresses`.
    public init(addresses: [SocketAddress]) { self.addresses = addresses }

    /// How many descriptors a server takes at most that may have so many connections: those, and the few that wait for
    /// others to be closed; without its listeners' own.
    public static func descriptors(forConnections count: Int) -> Int {
        count + WaitingPlaces.count(besides: count) + 1
    }

    /// How many connections a server may have that may take so many descriptors: ``descriptors(forConnections:)`` turned
    /// around.
    public static func connections(forDescriptors count: Int) -> Int {
        max(count - 1 - WaitingPlaces.most, (count - 2) * 8 / 9)
    }
}
