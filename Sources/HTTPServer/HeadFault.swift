/// A fault in a request's head, and the status to answer it with.
struct HeadFault: Error, Hashable {
    let status: Int
    let message: String

    init(_ status: Int, _ message: String) {
        self.status = status
        self.message = message
    }

    /// Makes a fault with status 400.
    init(_ message: String) { self.init(400, message) }

    static var targetTooLong: HeadFault { HeadFault(414, "The request target is too long.") }
}

/// How large a head may be.
struct HeadLimits: Sendable {
    var headBytes = 32 << 10
    var fields = 200
    var targetBytes = 8 << 10
}
