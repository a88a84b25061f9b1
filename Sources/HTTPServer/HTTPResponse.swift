public import Base

/// An answer. The server adds `Date`, `Content-Length` and `Connection`, and drops them from `headers`, with the other
/// hop-by-hop fields (RFC 9110 §7.6.1).
public struct HTTPResponse: Sendable {
    /// What follows the head.
    public enum Body: Sendable {
        /// Nothing.
        case none
        /// A few bytes.
        case bytes([UInt8])
        /// Ranges of blocks, sent one after the other without a copy.
        case slices([ByteSlice])

        /// How many bytes there are.
        public var count: Int {
            switch self {
            case .none: 0
            case .bytes(let bytes): bytes.count
            case .slices(let slices): slices.reduce(0) { $0 + $1.count }
            }
        }
    }

    /// The status code, 200 to 599.
    public var status: Int
    /// The header fields, sent in this order. A field is left out, rather than sent, when its name is not a token or
    /// its value has a control character.
    public var headers: [(name: String, value: String)]
    /// The body. For HEAD, 204 and 304 it is not sent (HEAD and 304 keep its length).
    public var body: Body
    /// Whether the connection closes after this answer, whatever the client would like.
    public var closes: Bool
    /// Something to find again in ``HTTPExchange/note``: a request id, say.
    public var note: (any Sendable)?

    /// Set by a stand-in server that breaks HTTP on purpose: goes out in place of the answer.
    public var wire: Wire?

    /// Bytes that are sent as they are, and how the connection ends then. For tests of clients.
    public struct Wire: Sendable {
        /// How the connection ends.
        public enum End: Sendable {
            /// FIN after the bytes.
            case close
            /// RST after the bytes were handed to the system.
            case reset
        }

        /// What is sent; may be nothing.
        public var bytes: [ByteSlice]
        /// What follows.
        public var end: End

        /// Puts a broken answer together.
        public init(bytes: [ByteSlice], end: End) {
            self.bytes = bytes
            self.end = end
        }
    }

    /// Puts an answer together.
    public init(
        status: Int, headers: [(name: String, value: String)] = [], body: Body = .none, closes: Bool = false,
        note: (any Sendable)? = nil
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.closes = closes
        self.note = note
    }
}
