/// The methods that the server knows.
public enum HTTPMethod: String, Sendable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
    case patch = "PATCH"
    case options = "OPTIONS"
    case trace = "TRACE"
    case connect = "CONNECT"
    case query = "QUERY"
    /// Any other method. It is refused with 501, so it only occurs in rejections.
    case unknown = "UNKNOWN"

    /// Whether a body has a meaning for the method. With other methods, a body is read before the request is answered,
    /// and may have at most 64 KiB.
    var hasMeaningfulBody: Bool {
        switch self {
        case .post, .put, .patch, .query: true
        case .get, .head, .delete, .options, .trace, .connect, .unknown: false
        }
    }
}

/// The HTTP version, which decides what the connection does after the answer (RFC 9112 §2.3, §9.3); 1.2 and later count
/// as 1.1.
public enum HTTPVersion: Sendable {
    case http10
    case http11
}
