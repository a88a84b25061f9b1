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
    /// Any other: refused with 501, and so seen in rejections alone.
    case unknown = "UNKNOWN"

    /// Whether a body says something to the method. Others may have one, which is read before they are answered, and
    /// may have at most 64 KiB.
    var hasMeaningfulBody: Bool {
        switch self {
        case .post, .put, .patch, .query: true
        case .get, .head, .delete, .options, .trace, .connect, .unknown: false
        }
    }
}

/// The minor version decides what the connection does afterwards (RFC 9112 §2.3, §9.3); 1.2 and later count as 1.1.
public enum HTTPVersion: Sendable {
    case http10
    case http11
}
