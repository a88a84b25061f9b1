public import Base
public import EventLoop

/// A request whose head has arrived.
///
/// Its body is not read until ``RequestBody/collect(limit:owner:headroom:)`` is called, unless the method gives it no
/// meaning.
public struct HTTPRequest: Sendable {
    /// Method, target and header fields.
    public let head: HTTPRequestHead
    /// The body, read on demand.
    public let body: RequestBody
    /// When the head's first byte was read.
    public let receivedAt: MonotonicTime

    /// The other end of the connection.
    public var peer: SocketAddress { body.connection.peer }
    /// The loop that the connection, the handler's task and the body belong to.
    public var loop: EventLoop { body.connection.loop }
    /// The method.
    public var method: HTTPMethod { head.method }
    /// The header fields.
    public var headers: HTTPHeaders { head.headers }
}
