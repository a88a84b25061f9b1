internal import HTTPServer
internal import KlingAPI

/// Serves the description of the gateway's API: to programs at `/openapi.json`, to people at `/docs`, to which `/` leads.
/// It needs no key.
struct APIDescription: Sendable {
    private let document: [UInt8]
    private let page: DocsPage
    private let publicURL: String?
    private let isSecure: Bool

    /// - Parameters:
    ///   - publicURL: the URL at which clients reach the gateway; nil to use the host that each request names.
    ///   - isSecure: whether clients use TLS with the gateway itself.
    init(models: TryOnModels, version: String, publicURL: String?, isSecure: Bool) {
        let literal = OpenAPIDocument.literal(models: models, version: version)
        document = literal.json
        page = DocsPage(document: literal)
        self.publicURL = publicURL
        self.isSecure = isSecure
    }

    /// The document.
    func document(requestID: String) -> HTTPResponse { Answer.success(document, requestID: requestID) }

    /// The answer to `/`: browsers are sent to the page, and others are told where it is.
    func welcome(for request: HTTPRequest, requestID: String) -> HTTPResponse {
        let isBrowser = request.headers.values(of: "Accept").contains { $0.lowercased().contains("text/html") }
        var response: HTTPResponse
        if isBrowser {
            response = HTTPResponse(status: 302, headers: [(name: "X-Request-Id", value: requestID)])
            // Relative, because a proxy in front may add a path.
            response.headers.append((name: "Location", value: "docs"))
        } else {
            response = Answer.success(Self.welcome, requestID: requestID)
        }
        response.headers.append((name: "Vary", value: "Accept"))
        return response
    }

    private static let welcome = JSONWriter.object { answer in
        answer.member("name", "kling-gateway")
        answer.member("docs", "/docs")
        answer.member("openapi", "/openapi.json")
    }

    /// The page, with the address that the request was sent to in its examples.
    func page(for request: HTTPRequest, requestID: String) -> HTTPResponse {
        HTTPResponse(
            status: 200,
            headers: [
                (name: "Content-Type", value: "text/html; charset=utf-8"), (name: "X-Request-Id", value: requestID),
                // The page needs no scripts and loads nothing; it contains the host name that the client sent.
                (name: "Content-Security-Policy", value: "default-src 'none'; style-src 'unsafe-inline'"),
                (name: "X-Content-Type-Options", value: "nosniff"),
            ],
            body: .bytes(Array(page.html(base: base(request)).utf8)))
    }

    private func base(_ request: HTTPRequest) -> String {
        if let publicURL { return publicURL }
        let isSecure = self.isSecure || request.headers["X-Forwarded-Proto"]?.lowercased() == "https"
        let authority = request.head.authority
        return (isSecure ? "https://" : "http://") + (authority.isEmpty ? "localhost:8080" : authority)
    }
}
