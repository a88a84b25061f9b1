public import Base

/// One request: what is sent, and its limits.
public struct HTTPClientRequest: Sendable {
    /// The method. The client never sends a `post` twice.
    public enum Method: Sendable { case get, post }

    /// The HTTP version.
    public enum Version: Sendable {
        /// HTTP/1.1: one request at a time on a connection. For requests that a lost connection must not leave
        /// ambiguous in bulk.
        case http1
        /// HTTP/2 if the server offers it in the TLS handshake (ALPN), otherwise HTTP/1.1. Never HTTP/2 over plain
        /// `http:`.
        case http2WhereOffered
    }

    /// Ends a transfer that moves less than `bytesPerSecond` for `duration` (whole seconds, at least one).
    public struct Stall: Sendable, Hashable {
        public var bytesPerSecond: Int
        public var duration: Duration

        public init(bytesPerSecond: Int, duration: Duration) {
            self.bytesPerSecond = bytesPerSecond
            self.duration = duration
        }
    }

    /// GET or POST.
    public var method: Method
    /// An absolute `http:` or `https:` URL, percent-encoded.
    public var url: String
    /// Header fields in order. The client sets `Host`, `Content-Length` and `Connection` itself; over HTTP/1.1 without a
    /// proxy, a request that has them is refused, as is a name or value that could break out of its line
    /// (``HTTPClientError/Code/invalidRequest``).
    public var headers: [(name: String, value: String)] = []
    /// Header fields before ``headers``, prepared for many requests.
    public var prepared: PreparedFields?
    /// The body as ranges, which are sent one after the other without being joined. Ignored for GET.
    public var body: [ByteSlice] = []
    /// The HTTP version; HTTP/1.1 by default.
    public var version = Version.http1
    /// The limit for name look-up, connect and TLS together.
    public var connectTimeout = Duration.seconds(5)
    /// The limit for everything, from the call to the last byte of the answer.
    public var timeout = Duration.seconds(30)
    /// The minimum progress; `nil`: only the timeouts apply.
    public var stall: Stall?
    /// The maximum size of the answer's body in bytes; a larger one is ``HTTPClientError/Code/tooLarge``.
    public var maximumAnswer = 1 << 20
    /// Whether the answer's body is kept; if not, it is counted and discarded, and reads as empty.
    public var keepsAnswer = true
    /// A PEM file of the certificate authorities to trust instead of the system's. The peer and its name are always
    /// verified.
    public var caFile: String?
    /// A proxy (`http://host:port`, `socks5h://…`); `nil` is none. The environment's proxy variables are never used.
    public var proxy: String?
    /// Whether cancelling the task ends the transfer. Over HTTP/1.1, a request in a task that nothing cancels is cheaper
    /// without.
    public var isCancellable = true
    /// Which addresses the request may connect to, checked for each connection, new or reused.
    public var addressPolicy = AddressPolicy.any

    /// All header fields.
    var fields: [(name: String, value: String)] { (prepared?.list ?? []) + headers }

    /// A request with the defaults above.
    public init(_ method: Method, _ url: String) {
        self.method = method
        self.url = url
    }
}
