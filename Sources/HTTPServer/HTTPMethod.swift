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
}

/// The minor version decides what the connection does afterwards (RFC 9112 §2.3, §9.3); 1.2 and later count as 1.1.
public enum HTTPVersion: Sendable {
    case http10
    case http11
}
