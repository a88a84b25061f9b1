public import Base

/// One request: what is sent, and what may be spent on it.
public struct HTTPClientRequest: Sendable {
    /// The method. A `post` is never sent twice by the client.
    public enum Method: Sendable { case get, post }

    /// Which HTTP is spoken.
    public enum Version: Sendable {
        /// HTTP/1.1: one request at a time on a connection. The choice for what must not be ambiguous in bulk.
        case http1
        /// HTTP/2 if the server offers it in the TLS handshake (ALPN), else HTTP/1.1. Never over plain `http:`.
        case http2WhereOffered
    }

    /// Gives a transfer up that moves less than `bytesPerSecond` for `duration` (whole seconds, at least one).
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
    /// Header fields in order. `Host`, `Content-Length` and `Connection` are the client's own business; a name or
    /// value that could break out of its line is refused (``HTTPClientError/Code/invalidRequest``).
    public var headers: [(name: String, value: String)] = []
    /// The body as ranges that are sent one after the other, without being joined. Ignored for GET.
    public var body: [ByteSlice] = []
    /// Which HTTP is spoken; HTTP/1.1 unless said otherwise.
    public var version = Version.http1
    /// The limit for name look-up, connect and TLS together.
    public var connectTimeout = Duration.seconds(5)
    /// The limit for everything, from the call to the last byte of the answer.
    public var timeout = Duration.seconds(30)
    /// The least progress; `nil`: only the time-outs count.
    public var stall: Stall?
    /// The most body bytes that are accepted; one more is ``HTTPClientError/Code/tooLarge``.
    public var maximumAnswer = 1 << 20
    /// Whether the answer's body is kept; if not, it is counted and let go of, and reads as empty.
    public var keepsAnswer = true
    /// PEM file of the certificate authorities to trust in place of the system's. The peer and its name are always
    /// verified.
    public var caFile: String?
    /// A proxy (`http://host:port`, `socks5h://…`); `nil` is none. The environment's proxy variables are never used.
    public var proxy: String?
    /// Which addresses may be connected to; judged for each connection, new or reused.
    public var addressPolicy = AddressPolicy.any

    /// A request with the defaults above.
    public init(_ method: Method, _ url: String) {
        self.method = method
        self.url = url
    }
}
