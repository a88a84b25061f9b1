public import Base
internal import EventLoop

/// A request's body, which stays unread (and the client's upload stopped) until somebody asks for it. Loop-confined.
public final class RequestBody: @unchecked Sendable {
    // @unchecked: `collect` traps anywhere but on the connection's loop; the rest never changes.

    /// `Content-Length`; 0 for a request without a body, `nil` for a chunked one.
    public let declaredLength: Int?

    let connection: Connection
    let exchange: Int

    init(declaredLength: Int?, connection: Connection, exchange: Int) {
        self.declaredLength = declaredLength
        self.connection = connection
        self.exchange = exchange
    }

    func watchAnswer(_ watcher: any AnswerWatcher) { connection.watchAnswer(of: exchange, watcher) }

    /// Reads the whole body into one block. Call it once, on the connection's loop (in the handler's own task).
    ///
    /// A body that came with the head is returned without suspending. For others a client that asked for it is told
    /// `100 Continue` now. More than 64 KiB are reserved from the server's ``ByteBudget`` before they are read, and
    /// given back when the block is released; a chunked body reserves `limit` once it has passed 64 KiB. With `headroom`
    /// that is at most what one owner may have.
    /// - Parameters:
    ///   - limit: the most bytes to take; a longer `Content-Length` is refused before anything is read.
    ///   - owner: on whose account the bytes are reserved.
    ///   - headroom: how many bytes more are reserved for each hundred of the body's, for what its reader makes of it and
    ///     keeps together with the block. To take them later could wait for ever on others that do the same.
    /// - Throws: ``RequestBodyError``; the connection closes after the answer then.
    public func collect(limit: Int, owner: String, headroom: Int = 0) async throws(RequestBodyError) -> Bytes {
        try await connection.collectBody(of: exchange, limit: limit, owner: owner, headroom: headroom)
    }
}

/// Why a body could not be had. The server closes the connection after the answer to such a request.
public enum RequestBodyError: Error, Hashable, Sendable {
    /// It is longer than allowed.
    case tooLarge(limit: Int)
    /// Its chunked coding is broken.
    case malformed
    /// It came too slowly.
    case timedOut
    /// The memory for it was not to be had in time.
    case noBudget
    /// The client sent FIN or RST in the middle of it.
    case clientGone
    /// The task that asked for it was cancelled.
    case cancelled

    /// What was wrong, as a sentence fit for the client.
    public var message: String {
        switch self {
        case .tooLarge(let limit): "The body is longer than \(limit) bytes."
        case .malformed: "The body's chunked coding is broken."
        case .timedOut: "The body came too slowly. Send it again over a faster connection."
        case .noBudget: "The gateway holds as many uploads as it can. Send the request again later."
        case .clientGone: "The body ended before its announced length."
        case .cancelled: "The gateway is stopping. Send the request again."
        }
    }

    /// The status that says so: 413, 400, 408 or 503.
    public var status: Int {
        switch self {
        case .tooLarge: 413
        case .malformed, .clientGone: 400
        case .timedOut: 408
        case .noBudget, .cancelled: 503
        }
    }
}

extension HeadFault {
    /// A body that was judged before the handler was called.
    init(_ error: RequestBodyError) { self.init(error.status, error.message) }
}
