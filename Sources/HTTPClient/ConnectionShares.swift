/// How a client's connections are shared between its two paths. Loop-confined.
///
/// Idle connections of libcurl cannot be closed from outside, so libcurl gets at most half of the connections once the
/// other path has begun; that path gets all that libcurl does not have. Either always gets one.
final class ConnectionShares: @unchecked Sendable {
    // @unchecked: it is only touched on the client's loop.
    private let maximum: Int
    /// The connections of the HTTP/1.1 path.
    var http1 = 0 {
        didSet { isHTTP1Used = true }
    }
    /// The sockets of libcurl.
    weak var libcurl: SocketTable?
    private var isHTTP1Used = false

    init(maximum: Int) { self.maximum = maximum }

    /// How many connections the HTTP/1.1 path may have now.
    var http1Limit: Int { max(1, maximum - (libcurl?.openConnections ?? 0)) }

    /// How many connections libcurl may have now.
    var libcurlLimit: Int { isHTTP1Used ? max(1, min(maximum / 2, maximum - http1)) : maximum }
}
