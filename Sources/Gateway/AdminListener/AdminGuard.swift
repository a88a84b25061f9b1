internal import HTTPServer

/// Refuses requests that a web page of another origin has a browser send with the browser's own rights: its session, or
/// its place on this machine.
enum AdminGuard {
    /// The header field that the console sends, and that no other page can send.
    static let field: StaticString = "X-Requested-With"
    static let value = "kling-gateway-console"

    /// - Throws: 403.
    static func check(_ request: HTTPRequest, _ proof: AdminAccess.Proof) throws(AdminError) {
        if proof == .token || request.method == .get || request.method == .head { return }
        try checkOrigin(request)
        if proof == .console, request.headers[field] != value {
            throw AdminError(403, "With a session instead of the token, this needs \(field): \(value).")
        }
    }

    /// A browser names the page's origin with everything but GET and HEAD.
    static func checkOrigin(_ request: HTTPRequest) throws(AdminError) {
        let origins = request.headers.values(of: "Origin")
        let sites = request.headers.values(of: "Sec-Fetch-Site")
        let isOwn =
            origins.allSatisfy { host(of: $0) == request.head.authority.lowercased() }
            && sites.allSatisfy { $0 == "same-origin" || $0 == "none" }
        if !isOwn { throw AdminError(403, "A web page of another origin may not change anything here.") }
    }

    /// The host and port of an origin; nil for `null`.
    private static func host(of origin: String) -> String? {
        origin.firstRange(of: "://").map { origin[$0.upperBound...].lowercased() }
    }
}
