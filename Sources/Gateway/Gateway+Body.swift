internal import HTTPServer

/// Checks of a request's body that need only the head.
extension Gateway {
    /// Checks a body before it is read.
    func checkBody(_ request: HTTPRequest, _ kind: RouteTerms.Body) throws(GatewayError) {
        let length = request.body.declaredLength
        if length == 0, !request.headers.contains("Content-Length") {
            throw GatewayError(.lengthRequired, "The request has no body. Send JSON, with a Content-Length or chunked.")
        }
        if let length, length > options.bodyLimit {
            throw GatewayError(RequestBodyError.tooLarge(limit: options.bodyLimit))
        }
        let codings = request.headers.values(of: "Content-Encoding")
        if codings.contains(where: { !$0.isEmpty && $0.lowercased() != "identity" }) {
            throw GatewayError(.unsupportedMediaType, "Content-Encoding is not supported. Send the body uncompressed.")
        }
        try kind.check(request.headers.values(of: "Content-Type"))
    }
}
