internal import HTTPServer

extension Access {
    /// The owner of a request's key, if the key is already known. The header field is not copied.
    func knownPrincipal(of request: HTTPRequest) -> Principal? {
        guard request.headers.count(of: "Authorization") == 1 else { return nil }
        return request.headers.withValue(of: "Authorization") { value in
            guard let value, case .known(let principal) = check(value) else { return nil }
            return principal
        }
    }

    /// The owner of a request's key. Finding a known key doesn't suspend.
    func principal(of request: HTTPRequest) async throws(GatewayError) -> Principal {
        if let known = knownPrincipal(of: request) { return known }
        do {
            return try await authenticate(authorization: request.headers.values(of: "Authorization"))
        } catch {
            throw GatewayError(error)
        }
    }
}

extension GatewayError {
    /// Tells a client why it was not authenticated.
    init(_ refusal: AccessRefusal) {
        switch refusal {
        case .missing:
            self.init(.missingCredentials, "There is no key. Send it as: Authorization: Bearer <key>.")
        case .malformed:
            self.init(.invalidCredentials, "The Authorization header is malformed. Send one, as: Bearer <key>.")
        case .schemeMissing:
            self.init(
                .invalidCredentials, "The Authorization header lacks the word Bearer. Send it as: Bearer <key>.")
        case .accessKey:
            self.init(
                .invalidCredentials,
                "This is an access key: sign a token with it and its secret key, or send the bearer key (sk-...).")
        case .token(let fault): self.init(fault)
        case .unknown:
            self.init(.invalidCredentials, "The key is not known, or was revoked. Ask the gateway's operator for one.")
        case .unavailable:
            self.init(.storeUnavailable, "The gateway cannot look the key up. Send the request again in a few seconds.")
        }
    }
}
