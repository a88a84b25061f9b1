public import Base
public import EventLoop

/// What a server serves.
public protocol HTTPService: Sendable {
    /// Begins an exchange, as soon as its head has been read or refused, on the connection's loop. It must not block.
    /// - Parameter head: nil if the head could not be parsed.
    /// - Returns: what handles the exchange to its end.
    func begin(_ head: HTTPRequestHead?) -> any HTTPExchangeHandler
}

/// A service that keeps nothing for each exchange, and handles all of them itself.
public protocol HTTPResponder: HTTPService, HTTPExchangeHandler {}

extension HTTPResponder {
    public func begin(_ head: HTTPRequestHead?) -> any HTTPExchangeHandler { self }
}

/// Handles one exchange from its head to its end.
public protocol HTTPExchangeHandler: Sendable {
    /// Answers a request.
    ///
    /// It runs in its own task on the connection's loop, started when the head is complete. The task is cancelled when
    /// the client is gone (its connection was reset, or failed), and when the grace period of a stopping server ends;
    /// its answer is then discarded. It is not cancelled when the client merely sends FIN, because the client may still
    /// read.
    func respond(to request: HTTPRequest) async -> HTTPResponse

    /// Answers a request at once, without the cost of a task, if the answer needs neither the body nor any waiting.
    ///
    /// Called before ``respond(to:)``, on the connection's loop, for a request that arrived alone; pipelined requests
    /// take turns with the loop's other work. It must not block.
    /// - Returns: nil if ``respond(to:)`` is to answer.
    func immediateResponse(to request: HTTPRequest) -> HTTPResponse?

    /// Makes the answer to a request that the server itself refuses. The server sends it with the rejection's status,
    /// and closes the connection. Called on the connection's loop; it must not block.
    func response(to rejection: HTTPRejection) -> HTTPResponse

    /// Called once for each exchange when it ends, answered or not, on the connection's loop: for the access log and
    /// metrics. It must not block.
    func didFinish(_ exchange: HTTPExchange)
}

extension HTTPExchangeHandler {
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
    /// What was wrong, as a sentence for the client.
    public let message: String
    /// The head, if it was read to its end; `nil` if it was not, or could not be parsed.
    public let head: HTTPRequestHead?
    /// The other end of the connection.
    public let peer: SocketAddress
}

/// One request and its result.
public struct HTTPExchange: Sendable {
    /// How an exchange ended.
    public enum End: String, Sendable {
        /// The whole answer was handed to the system.
        case complete
        /// The server itself refused the request, and answered with an error.
        case rejected
        /// The client's connection was reset or failed before the answer was written.
        case clientGone = "client_gone"
        /// The client did not read the answer in time.
        case writeTimeout = "write_timeout"
        /// The server stopped before the handler finished.
        case shutdown
    }

    /// The request's head; `nil` if it could not be read.
    public let head: HTTPRequestHead?
    /// The other end of the connection.
    public let peer: SocketAddress
    /// The status sent; 499 if the client was gone, or 503 if the server stopped, before one was sent.
    public let status: Int
    /// Bytes of head and body read.
    public let bytesReceived: Int
    /// Bytes of head and body handed to the system.
    public let bytesSent: Int
    /// When the head's first byte was read.
    public let receivedAt: MonotonicTime
    /// When the handler returned its answer (or was abandoned).
    public let answeredAt: MonotonicTime
    /// When the exchange ended.
    public let finishedAt: MonotonicTime
    /// How it ended.
    public let end: End
}
