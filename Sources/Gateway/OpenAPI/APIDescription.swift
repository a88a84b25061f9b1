internal import HTTPServer
internal import KlingAPI

/// Says what the gateway can be asked for: to programs at `/openapi.json`, to people at `/docs`. Anybody may read it.
struct APIDescription: Sendable {
    private let document: [UInt8]
    private let page: DocsPage
    private let publicURL: String?
    private let isSecure: Bool

    /// - Parameters:
    ///   - publicURL: by what clients reach the gateway; nil: by whatever they say that they do.
    ///   - isSecure: whether clients speak TLS with the gateway itself.
    init(models: TryOnModels, version: String, publicURL: String?, isSecure: Bool) {
        let literal = OpenAPIDocument.literal(models: models, version: version)
        document = literal.json
        page = DocsPage(document: literal)
        self.publicURL = publicURL
        self.isSecure = isSecure
    }

    /// The document.
    func document(requestID: String) -> HTTPResponse { Answer.success(document, requestID: requestID) }

    /// The page, whose examples have the address that the request was sent to.
    func page(for request: HTTPRequest, requestID: String) -> HTTPResponse {
        HTTPResponse(
            status: 200,
            headers: [
                (name: "Content-Type", value: "text/html; charset=utf-8"), (name: "X-Request-Id", value: requestID),
                // It has nothing that runs, and nothing from elsewhere; the client's own word stands in it.
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
