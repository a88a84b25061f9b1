internal import HTTPServer

extension HTTPResponse {
    /// The answer to `OPTIONS *`: the methods that paths of the server accept (RFC 9110 §9.3.7). Nil for any other
    /// request.
    static func methods(for request: HTTPRequest, _ note: ExchangeNote) -> HTTPResponse? {
        guard request.method == .options, request.head.path == "*" else { return nil }
        return HTTPResponse(
            status: 200,
            headers: [
                (name: "Allow", value: "GET, HEAD, POST, OPTIONS"), (name: "X-Request-Id", value: note.requestID),
            ])
    }
}
