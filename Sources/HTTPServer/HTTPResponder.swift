public import Base
public import EventLoop

/// What a server is for: it answers requests.
public protocol HTTPResponder: Sendable {
    /// Answers a request.
    ///
    /// It runs as a task of its own on the connection's loop, started when the head is complete. The task is cancelled
    /// when the client is gone (its connection was reset, or failed), and when a stopping server's grace has passed;
    /// not when the client merely sent FIN, because that one may still read. What it returns then is discarded.
    func respond(to request: HTTPRequest) async -> HTTPResponse

    /// Answers a request at once, if that needs neither its body nor any waiting: such an answer costs no task.
    ///
    /// Called before ``respond(to:)``, on the connection's loop, for a request that came alone: of pipelined ones each gets
    /// its turn among the loop's other work. It must not block.
    /// - Returns: nil if ``respond(to:)`` is to answer.
    func immediateResponse(to request: HTTPRequest) -> HTTPResponse?

    /// Renders an answer for what the server refuses by itself. The server sends it with the rejection's status, and
    /// closes the connection. Called on the connection's loop; it must not block.
    func response(to rejection: HTTPRejection) -> HTTPResponse

    /// Called once for each exchange when it is over, answered or not, on the connection's loop: for the access log and
    /// metrics. It must not block.
    func didFinish(_ exchange: HTTPExchange)
}

extension HTTPResponder {
    public func immediateResponse(to request: HTTPRequest) -> HTTPResponse? { nil }

    public func response(to rejection: HTTPRejection) -> HTTPResponse {
        HTTPResponse(
            status: rejection.status, headers: [(name: "Content-Type", value: "text/plain")],
            body: .bytes(Array("\(rejection.message)\n".utf8)))
    }

    public func didFinish(_ exchange: HTTPExchange) {}
}

/// Why the server refuses a request before any handler sees it.
public struct HTTPRejection: Error, Sendable {
    /// 400, 408, 413, 414, 417, 431, 501, 503 or 505.
    public let status: Int
    /// What was wrong, as a sentence fit for the client.
    public let message: String
    /// The head, if it could be read: from 501, 417 and 505 on the target is known. `nil` where it was not even parsed.
    public let head: HTTPRequestHead?
    /// The other end of the connection.
    public let peer: SocketAddress
}

/// One request and what became of it.
public struct HTTPExchange: Sendable {
    /// How an exchange ended.
    public enum End: String, Sendable {
        /// The answer was handed to the system as a whole.
        case complete
        /// The server refused the request itself, and said so.
        case rejected
        /// The client's connection was reset or failed before the answer was written.
        case clientGone = "client_gone"
        /// The client did not read its answer in time.
        case writeTimeout = "write_timeout"
        /// The server stopped before the handler was done.
        case shutdown
    }

    /// The request's head; `nil` if that could not be read.
    public let head: HTTPRequestHead?
    /// The other end of the connection.
    public let peer: SocketAddress
    /// The status sent; 499 if the client was gone before one was, 503 if the server stopped before one was.
    public let status: Int
    /// Bytes of head and body read.
    public let bytesReceived: Int
    /// Bytes of head and body handed to the system.
    public let bytesSent: Int
    /// When the head's first byte was read.
    public let receivedAt: MonotonicTime
    /// When the handler returned its answer (or was given up).
    public let answeredAt: MonotonicTime
    /// When the exchange was over.
    public let finishedAt: MonotonicTime
    /// How it ended.
    public let end: End
    /// ``HTTPResponse/note`` of the answer.
    public let note: (any Sendable)?
}
