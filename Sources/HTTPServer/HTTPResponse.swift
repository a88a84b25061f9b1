public import Base

/// An answer. The server adds `Date`, `Content-Length` or `Transfer-Encoding`, and `Connection`, and drops them from
/// `headers`, along with the other hop-by-hop fields (RFC 9110 §7.6.1).
public struct HTTPResponse: Sendable {
    /// What follows the head.
    public enum Body: Sendable {
        /// Nothing.
        case none
        /// A few bytes.
        case bytes([UInt8])
        /// Ranges of blocks, sent in order without a copy.
        case slices([ByteSlice])
        /// Parts that are made while the answer is sent, each after the one before was handed to the system. Sent
        /// chunked; to a client of HTTP/1.0 up to the end of the connection.
        case stream(NextPart)

        /// Makes the next part of a streamed body; nil after the last one. If it throws, the connection is closed, so that
        /// the client sees that the body is cut off.
        ///
        /// It runs in a task on the connection's loop, which is cancelled when the client is gone or the server has
        /// stopped.
        public typealias NextPart = @Sendable () async throws -> [ByteSlice]?

        /// How many bytes there are; nil if that is not known yet.
        public var count: Int? {
            switch self {
            case .none: 0
            case .bytes(let bytes): bytes.count
            case .slices(let slices): slices.reduce(0) { $0 + $1.count }
            case .stream: nil
            }
        }
    }

    /// The status code, 200 to 599.
    public var status: Int
    /// The header fields, sent in this order. A field is left out if its name is not a token or its value has a control
    /// character.
    public var headers: [(name: String, value: String)]
    /// The body. For HEAD, 204 and 304 it is not sent (HEAD and 304 keep its length).
    public var body: Body
    /// Whether the connection closes after this answer, even if the client wants to keep it.
    public var closes: Bool

    /// Bytes that are sent instead of the answer, set by a stand-in server that breaks HTTP on purpose.
    public var wire: Wire?

    /// Bytes that are sent unchanged, and how the connection then ends. For tests of clients.
    public struct Wire: Sendable {
        /// How the connection ends.
        public enum End: Sendable {
            /// FIN after the bytes.
            case close
            /// RST after the bytes were handed to the system.
            case reset
        }

        /// The bytes to send; may be empty.
        public var bytes: [ByteSlice]
        /// How the connection ends after them.
        public var end: End

        /// Makes a broken answer.
        public init(bytes: [ByteSlice], end: End) {
            self.bytes = bytes
            self.end = end
        }
    }

    /// Makes an answer.
    public init(
        status: Int, headers: [(name: String, value: String)] = [], body: Body = .none, closes: Bool = false
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.closes = closes
    }
}
