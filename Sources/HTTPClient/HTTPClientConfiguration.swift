/// The limits of one client's connection pool and of what it accepts from servers.
public struct HTTPClientConfiguration: Sendable {
    /// All connections, including idle ones; further requests wait. libcurl gets at most half of them once there are
    /// requests that do not need it (``ConnectionShares``).
    public var maximumConnections = 1024
    /// Connections to one host and port, apart for libcurl (`CURLMOPT_MAX_HOST_CONNECTIONS`) and for the HTTP/1.1 path.
    public var maximumConnectionsPerHost = 256
    /// Idle connections kept for reuse, apart for libcurl (`CURLMOPT_MAXCONNECTS`) and for the HTTP/1.1 path.
    public var maximumIdleConnections = 256
    /// How long an idle connection may be reused. This is below the keep-alive time of common servers (60 s and more),
    /// so that they do not close the connection just as a request is written. libcurl takes whole seconds
    /// (`CURLOPT_MAXAGE_CONN`).
    public var idleTimeout = Duration.seconds(50)
    /// How long a resolved address is cached. libcurl takes whole seconds (`CURLOPT_DNS_CACHE_TIMEOUT`).
    public var nameCacheTime = Duration.seconds(60)
    /// The maximum size in bytes of an answer's head (status line and fields), including the heads of interim 1xx
    /// answers.
    public var maximumHeadBytes = 64 << 10
    /// The maximum number of interim (1xx) answers, which are skipped, before the final one.
    public var maximumInterimAnswers = 16

    /// The defaults above.
    public init() {}

    /// Lowers each of the three connection limits to at most `connections`.
    public mutating func limit(to connections: Int) {
        maximumConnections = min(maximumConnections, connections)
        maximumConnectionsPerHost = min(maximumConnectionsPerHost, connections)
        maximumIdleConnections = min(maximumIdleConnections, connections)
    }
}
