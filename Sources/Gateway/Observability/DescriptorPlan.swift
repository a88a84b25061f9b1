internal import HTTPServer

/// How a process divides the file descriptors that the system allows it: fixed needs, client connections, operator
/// connections and outgoing calls. Computed without side effects.
///
/// If not everything fits, each part gets its minimum. Of the rest, clients get about six tenths, outgoing calls a
/// third and operators a sixteenth. What clients don't need goes back to the calls.
public struct DescriptorPlan: Hashable, Sendable {
    /// What would be used if there were enough descriptors.
    public struct Wishes: Hashable, Sendable {
        /// The number of event loops.
        public var loops: Int
        /// Listening sockets, including the operators'.
        public var listeners: Int
        /// Descriptors that are open already.
        public var inherited = 3
        /// `limits.connections`.
        public var connections: Int
        /// Operators' connections.
        public var adminConnections: Int
        /// Outgoing connections.
        public var pools: Pools

        /// Creates wishes with the default for ``inherited``.
        public init(loops: Int, listeners: Int, connections: Int, adminConnections: Int, pools: Pools) {
            self.loops = loops
            self.listeners = listeners
            self.connections = connections
            self.adminConnections = adminConnections
            self.pools = pools
        }
    }

    /// The maximum number of outgoing connections of each kind.
    public struct Pools: Hashable, Sendable {
        /// To Kling, per loop.
        public var upstream: Int
        /// To receivers of callbacks.
        public var callbacks: Int
        /// To picture hosts, per loop.
        public var pictures: Int

        /// Creates pools of these sizes.
        public init(upstream: Int, callbacks: Int, pictures: Int) {
            self.upstream = upstream
            self.callbacks = callbacks
            self.pictures = pictures
        }

        fileprivate func total(_ loops: Int) -> Int { (upstream + pictures) * loops + callbacks }
    }

    /// The limit allows too few descriptors to serve.
    public struct TooFew: Error, Hashable, CustomStringConvertible {
        /// The limit.
        public let limit: Int
        /// The minimum that serving needs.
        public let least: Int

        public var description: String {
            "the limit of open files is \(limit), and serving needs at least \(least): raise it (ulimit -n, LimitNOFILE "
                + "of a systemd unit, --ulimit of a container), or set fewer workers"
        }
    }

    /// The maximum number of client connections.
    public let connections: Int
    /// The maximum number of operator connections.
    public let adminConnections: Int
    /// Outgoing connections.
    public let pools: Pools
    /// The number of descriptors with which nothing has to be lowered.
    public let needed: Int

    /// The files of the store, the spool and the assets, and those read from the system, at their busiest.
    private static let files = 48
    /// A loop's own descriptors, and those that libcurl keeps open for its two clients on it.
    private static let perLoop = 8
    /// An outgoing connection may take two sockets while it is set up: for two addresses, or to wait for a name lookup.
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

    /// Of what exceeds the minimum, Kling gets half and each of the others a quarter. What those don't want goes to
    /// Kling.
    private static func divide(_ connections: Int, among wishes: Pools, loops: Int) -> Pools {
        let extra = max(0, connections - least.pools.total(loops))
        let callbacks = min(wishes.callbacks, least.pools.callbacks + extra / 4)
        let pictures = min(wishes.pictures, least.pools.pictures + extra / 4 / loops)
        let rest = (connections - callbacks) / loops - pictures
        return Pools(upstream: min(wishes.upstream, rest), callbacks: callbacks, pictures: pictures)
    }
}
