internal import HTTPServer

/// How a process divides the file descriptors that the system allows it: fixed needs, client connections, operator
/// connections and outgoing calls. Computed without side effects.
///
/// If not everything fits, each part gets its minimum. Of the rest, clients get about six tenths, outgoing calls a
/// third and operators a sixteenth. What clients don't need goes back to the calls.
public struct DescriptorPlan: Hashable, Sendable {
    /// What the process would use if the system allowed enough descriptors.
    public struct Demand: Hashable, Sendable {
        /// The number of event loops.
        public var loops: Int
        /// Listening sockets, including the operators'.
        public var listeners: Int
        /// Descriptors that are open already.
        public var inherited = 3
        /// Client connections (`limits.connections`).
        public var connections: Int
        /// Operator connections.
        public var adminConnections: Int
        /// Outgoing connections.
        public var pools: Pools

        /// Creates a demand with the default for ``inherited``.
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
        /// The number of descriptors that serving needs at least.
        public let minimum: Int

        public var description: String {
            "the limit of open files is \(limit), and serving needs at least \(minimum): raise it (ulimit -n, "
                + "LimitNOFILE of a systemd unit, --ulimit of a container), or set fewer workers"
        }
    }

    /// The maximum number of client connections.
    public let connections: Int
    /// The maximum number of operator connections.
    public let adminConnections: Int
    /// Outgoing connections.
    public let pools: Pools
    /// The number of descriptors that would meet the whole demand.
    public let needed: Int

    /// The most files open at once: those of the store, the spool and the assets, and those read from the system.
    private static let files = 48
    /// A loop's own descriptors, and those that libcurl keeps open for its two clients on it.
    private static let perLoop = 8
    /// An outgoing connection may take two sockets while it is set up: for two addresses, or to wait for a name lookup.
    private static let perCall = 2
    private static let minimum = (connections: 16, admin: 8, pools: Pools(upstream: 2, callbacks: 2, pictures: 1))

    /// Divides `limit` descriptors.
    /// - Throws: ``TooFew``.
    public init(limit: Int, _ demand: Demand) throws(TooFew) {
        let fixed = demand.inherited + Self.files + Self.perLoop * demand.loops + demand.listeners
        let minimumCalls = Self.perCall * Self.minimum.pools.total(demand.loops)
        let minimumClients = HTTPServerConfiguration.descriptors(forConnections: Self.minimum.connections)
        let minimumAdmin = HTTPServerConfiguration.descriptors(forConnections: Self.minimum.admin)
        let minimum = fixed + minimumCalls + minimumClients + minimumAdmin
        guard limit >= minimum else { throw TooFew(limit: limit, minimum: minimum) }

        let spare = limit - minimum
        let wantedCalls = Self.perCall * demand.pools.total(demand.loops)
        adminConnections = min(
            demand.adminConnections, HTTPServerConfiguration.connections(forDescriptors: minimumAdmin + spare / 16))
        let rest = limit - fixed - HTTPServerConfiguration.descriptors(forConnections: adminConnections)
        connections = min(
            demand.connections,
            HTTPServerConfiguration.connections(forDescriptors: rest - min(wantedCalls, minimumCalls + spare / 3)))
        pools = Self.divide(
            (rest - HTTPServerConfiguration.descriptors(forConnections: connections)) / Self.perCall,
            among: demand.pools, loops: demand.loops)
        needed =
            fixed + wantedCalls
            + HTTPServerConfiguration.descriptors(forConnections: demand.adminConnections)
            + HTTPServerConfiguration.descriptors(forConnections: demand.connections)
    }

    /// Kling gets half of what exceeds the minimum, and each of the others a quarter. What those don't need goes to
    /// Kling.
    private static func divide(_ connections: Int, among demand: Pools, loops: Int) -> Pools {
        let extra = max(0, connections - minimum.pools.total(loops))
        let callbacks = min(demand.callbacks, minimum.pools.callbacks + extra / 4)
        let pictures = min(demand.pictures, minimum.pools.pictures + extra / 4 / loops)
        let rest = (connections - callbacks) / loops - pictures
        return Pools(upstream: min(demand.upstream, rest), callbacks: callbacks, pictures: pictures)
    }
}
