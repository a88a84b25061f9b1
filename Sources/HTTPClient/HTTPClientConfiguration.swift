/// The limits of one client's connection pool and of what it believes from servers.
public struct HTTPClientConfiguration: Sendable {
    /// Connections in all, idle ones included; further requests wait (`CURLMOPT_MAX_TOTAL_CONNECTIONS`).
    public var maximumConnections = 1024
    /// Connections to one host and port (`CURLMOPT_MAX_HOST_CONNECTIONS`). libcurl's search for a free connection is
    /// linear in this.
    public var maximumConnectionsPerHost = 256
    /// Idle connections kept for reuse (`CURLMOPT_MAXCONNECTS`).
    public var maximumIdleConnections = 256
    /// An idle connection is not used again after this long: below the keep-alive time of usual servers (60 s and
    /// more), so that they do not close it just as a request is written. Whole seconds (`CURLOPT_MAXAGE_CONN`).
    public var idleTimeout = Duration.seconds(50)
    /// How long a looked-up address is used. Whole seconds (`CURLOPT_DNS_CACHE_TIMEOUT`).
    public var nameCacheTime = Duration.seconds(60)
    /// The most bytes of head (status line and fields) of an answer, those of interim 1xx answers included.
    public var maximumHeadBytes = 64 << 10
    /// How many interim (1xx) answers are skipped before the final one.
    public var maximumInterimAnswers = 16

    /// The defaults above.
    public init() {}

    /// Lowers all three limits of connections to `connections` at most.
    public mutating func limit(to connections: Int) {
        maximumConnections = min(maximumConnections, connections)
        maximumConnectionsPerHost = min(maximumConnectionsPerHost, connections)
        maximumIdleConnections = min(maximumIdleConnections, connections)
    }
}
