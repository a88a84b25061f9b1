public import Base

/// A complete answer.
public struct HTTPClientResponse: Sendable {
    /// Where the time went, each measured from the start of the transfer; 0 for what a reused connection skipped.
    public struct Timings: Sendable, Hashable {
        /// Until the name was looked up.
        public var nameLookup = Duration.zero
        /// Until the TCP connection was established.
        public var connect = Duration.zero
        /// Until the TLS handshake was complete; 0 without TLS.
        public var tls = Duration.zero
        /// Until the first byte of the answer.
        public var firstByte = Duration.zero
        /// Until the last byte of the answer.
        public var total = Duration.zero
    }

    /// The final status, 200…999.
    public let status: Int
    /// The header fields of the final answer.
    public let headers: HTTPClientHeaders
    /// The body as it was sent: content codings are not decoded.
    public let body: [UInt8]
    /// Where the time went.
    public let timings: Timings
    /// The address that the connection goes to (the proxy's, if there is one).
    public let peer: IPAddress?
    /// Whether the connection had been used before.
    public let isReusedConnection: Bool
    /// Whether the answer came over HTTP/2.
    public let isHTTP2: Bool
}
