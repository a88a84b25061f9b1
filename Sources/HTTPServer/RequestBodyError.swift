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
        case .timedOut: "The body arrived too slowly. Send it again over a faster connection."
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
