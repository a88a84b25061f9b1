internal import HTTPServer

/// Lets web pages of certain origins call the gateway (the Fetch standard's CORS protocol).
///
/// CORS credentials are not allowed: a page authenticates with a key that it puts into a header field, never with
/// cookies or other credentials that its browser adds.
struct CrossOrigin: Sendable {
    private let origins: Set<String>
    private let isOpen: Bool

    /// Allows pages of `origins`, or of any origin with `*`; nil if the list is empty.
    init?(origins: [String]) {
        guard !origins.isEmpty else { return nil }
        self.origins = Set(origins)
        isOpen = origins.contains("*")
    }

    /// The answer to a preflight request; nil if the request is not one, or the page may not call the gateway.
    /// - Parameter methods: the value of `Access-Control-Allow-Methods`.
    func preflight(_ request: HTTPRequest, _ methods: String, requestID: String) -> HTTPResponse? {
        guard request.method == .options, request.headers.contains("Access-Control-Request-Method"),
            request.headers.contains("Origin"), allowed(request.headers) != nil
        else { return nil }
        return HTTPResponse(
            status: 204,
            headers: [
                (name: "X-Request-Id", value: requestID),
                (name: "Access-Control-Allow-Methods", value: methods),
                (name: "Access-Control-Allow-Headers", value: Self.requestHeaders),
                (name: "Access-Control-Max-Age", value: Self.maxAge),
            ])
    }

    /// Adds the header fields that let a page read `response`, whether a success or an error.
    /// - Parameter headers: the request's; nil if they could not be read.
    func mark(_ response: inout HTTPResponse, for headers: HTTPHeaders?) {
        response.headers.append((name: "Vary", value: "Origin"))
        guard let origin = allowed(headers) else { return }
        response.headers.append((name: "Access-Control-Allow-Origin", value: origin))
        response.headers.append((name: "Access-Control-Expose-Headers", value: Self.responseHeaders))
    }

    /// The value of `Access-Control-Allow-Origin` for a request; nil for a page that may not call the gateway.
    private func allowed(_ headers: HTTPHeaders?) -> String? {
        if isOpen { return "*" }
        guard let headers, headers.count(of: "Origin") == 1, let origin = headers["Origin"], origins.contains(origin)
        else { return nil }
        return origin
    }

    /// `*` covers the fields in which client libraries describe themselves; it does not cover `Authorization`.
    private static let requestHeaders = "Authorization, Content-Type, Idempotency-Key, X-Request-Id, *"
    private static let responseHeaders = """
        X-Request-Id, Retry-After, x-should-retry, Idempotent-Replayed, x-kling-gateway-stale, \
        x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests
        """
    /// In seconds: the longest time that every browser accepts.
    private static let maxAge = "7200"
}
