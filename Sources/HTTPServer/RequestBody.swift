public import Base
internal import EventLoop

/// A request's body. It stays unread, and the client's upload stalled, until the handler asks for it. Loop-confined.
public final class RequestBody: @unchecked Sendable {
    // @unchecked: `collect` traps anywhere but on the connection's loop; the stored properties never change.

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
    /// A body that arrived with the head is returned without suspending. For any other body, `100 Continue` is sent now
    /// to a client that waits for it. A body of more than 64 KiB is reserved from the server's ``ByteBudget`` before it
    /// is read, and the bytes are returned when the block is released; a chunked body reserves `limit` once it has
    /// passed 64 KiB. Together with `headroom`, that is at most what one owner may have.
    /// - Parameters:
    ///   - limit: the most bytes to accept; a longer `Content-Length` is refused before anything is read.
    ///   - owner: whose share of the budget the bytes count against.
    ///   - headroom: how many more bytes to reserve, in percent of the body, for what the caller makes of the body and
    ///     keeps together with the block. Reserving them later could deadlock with others that do the same.
    /// - Throws: ``RequestBodyError``; the connection then closes after the answer.
    public func collect(limit: Int, owner: String, headroom: Int = 0) async throws(RequestBodyError) -> Bytes {
        try await connection.collectBody(of: exchange, limit: limit, owner: owner, headroom: headroom)
    }
}

/// Why a body could not be read. The server closes the connection after the answer to such a request.
public enum RequestBodyError: Error, Hashable, Sendable {
    /// It is longer than allowed.
    case tooLarge(limit: Int)
    /// Its chunked coding is broken.
    case malformed
    /// It arrived too slowly.
    case timedOut
    /// No memory became available for it in time.
    case noBudget
    /// The client sent FIN or RST in the middle of it.
    case clientGone
    /// The task that asked for it was cancelled.
    case cancelled

    /// What was wrong, as a sentence for the client.
    public var message: String {
        switch self {
        case .tooLarge(let limit): "The body is longer than \(limit) bytes."
        case .malformed: "The body's chunked coding is broken."
        case .timedOut: "The body came too slowly. Send it again over a faster connection."
        case .noBudget: "The gateway has no memory for another upload. Send the request again later."
        case .clientGone: "The body ended before its announced length."
        case .cancelled: "The gateway is stopping. Send the request again."
        }
    }

    /// The status to answer with: 413, 400, 408 or 503.
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
    /// Makes a fault from the error of a body that was read before the handler was called.
    init(_ error: RequestBodyError) { self.init(error.status, error.message) }
}
