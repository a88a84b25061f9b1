internal import HTTPServer

/// How a process divides the descriptors that the system lets it have: what it cannot do without, clients' connections,
/// operators' connections, and calls to others. Pure.
///
/// Where not everything fits, each part gets its least, and of what is left clients get about six tenths, calls to
/// others a third, operators a sixteenth. What clients do not need goes back to the calls.
public struct DescriptorPlan: Hashable, Sendable {
    /// What would be used if there were enough.
    public struct Wishes: Hashable, Sendable {
        /// Event loops.
        public var loops: Int
        /// Listening sockets, the operators' included.
        public var listeners: Int
        /// Descriptors that are open already.
        public var inherited = 3
        /// `limits.connections`.
        public var connections: Int
        /// Operators' connections.
        public var adminConnections: Int
        /// Connections to others.
        public var pools: Pools

        /// Names all but what is open already.
        public init(loops: Int, listeners: Int, connections: Int, adminConnections: Int, pools: Pools) {
            self.loops = loops
            self.listeners = listeners
            self.connections = connections
            self.adminConnections = adminConnections
            self.pools = pools
        }
    }

    /// The most connections of each kind of client that the gateway itself is.
    public struct Pools: Hashable, Sendable {
        /// To Kling, for each loop.
        public var upstream: Int
        /// To receivers of callbacks.
        public var callbacks: Int
        /// To hosts of pictures, for each loop.
        public var pictures: Int

        /// Names all three.
        public init(upstream: Int, callbacks: Int, pictures: Int) {
            self.upstream = upstream
            self.callbacks = callbacks
            self.pictures = pictures
        }

        fileprivate func total(_ loops: Int) -> Int { (upstream + pictures) * loops + callbacks }
    }

    /// There are too few descriptors to serve with.
    public struct TooFew: Error, Hashable, CustomStringConvertible {
        /// The limit.
        public let limit: Int
        /// The least that would do.
        public let least: Int

        public var description: String {
            "the limit of open files is \(limit), and serving needs at least \(least): raise it (ulimit -n, LimitNOFILE "
                + "of a systemd unit, --ulimit of a container), or set fewer workers"
        }
    }

    /// Clients' connections at once.
    public let connections: Int
    /// Operators' connections at once.
    public let adminConnections: Int
    /// Connections to others.
    public let pools: Pools
    /// With how many descriptors nothing has to be lowered.
    public let needed: Int

    /// The store, the spool, the assets and what is read from the system, at their busiest.
    private static let files = 48
    /// A loop's own, and what libcurl keeps open for its two clients on it.
    private static let perLoop = 8
    /// A connection to others may take two sockets while it is set up: for two addresses, or to wait for a name's.
    private static let perCall = 2
    private static let least = (connections: 16, admin: 8, pools: Pools(upstream: 2, callbacks: 2, pictures: 1))

    /// Divides `limit` descriptors.
    /// - Throws: ``TooFew``.
    public init(limit: Int, _ wishes: Wishes) throws(TooFew) {
        let fixed = wishes.inherited + Self.files + Self.perLoop * wishes.loops + wishes.listeners
        let leastCalls = Self.perCall * Self.least.pools.total(wishes.loops)
        let leastClients = HTTPServerConfiguration.descriptors(forConnections: Self.least.connections)
        let leastAdmin = HTTPServerConfiguration.descriptors(forConnections: Self.least.admin)
        let least = fixed + leastCalls + leastClients + leastAdmin
        guard limit >= least else { throw TooFew(limit: limit, least: least) }

        let spare = limit - least
        let wantedCalls = Self.perCall * wishes.pools.total(wishes.loops)
        adminConnections = min(
            wishes.adminConnections, HTTPServerConfiguration.connections(forDescriptors: leastAdmin + spare / 16))
        let rest = limit - fixed - HTTPServerConfiguration.descriptors(forConnections: adminConnections)
        connections = min(
            wishes.connections,
            HTTPServerConfiguration.connections(forDescriptors: rest - min(wantedCalls, leastCalls + spare / 3)))
        pools = Self.divide(
            (rest - HTTPServerConfiguration.descriptors(forConnections: connections)) / Self.perCall,
            among: wishes.pools, loops: wishes.loops)
        needed =
            fixed + wantedCalls
            + HTTPServerConfiguration.descriptors(forConnections: wishes.adminConnections)
            + HTTPServerConfiguration.descriptors(forConnections: wishes.connections)
    }

    /// Half for Kling, a quarter each for the others, of what is there beyond the least; what a kind does not want is
    /// Kling's.
    private static func divide(_ connections: Int, among wishes: Pools, loops: Int) -> Pools {
        let extra = max(0, connections - least.pools.total(loops))
        let callbacks = min(wishes.callbacks, least.pools.callbacks + extra / 4)
        let pictures = min(wishes.pictures, least.pools.pictures + extra / 4 / loops)
        let rest = (connections - callbacks) / loops - pictures
        return Pools(upstream: min(wishes.upstream, rest), callbacks: callbacks, pictures: pictures)
    }
}
