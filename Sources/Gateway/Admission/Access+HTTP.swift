internal import HTTPServer

extension Access {
    /// The owner of a request's key, if the key is already known. The header field is not copied.
    func knownPrincipal(of request: HTTPRequest) -> Principal? {
        switch request.headers.count(of: "Authorization") {
        case 0: return principalOfAPIKey(in: request.headers)
        case 1: break
        default: return nil
        }
        return request.headers.withValue(of: "Authorization") { value in
            guard let value, case .known(let principal) = check(value) else { return nil }
            return principal
        }
    }

    /// The owner of the key in `X-API-Key`, which some clients send where they have no `Authorization`.
    private func principalOfAPIKey(in headers: HTTPHeaders) -> Principal? {
        guard headers.count(of: "X-API-Key") == 1 else { return nil }
        return headers.withValue(of: "X-API-Key") { value in
            guard let value else { return nil }
            return known(value)
        }
    }

    /// The owner of a request's key. Finding a known key doesn't suspend.
    func principal(of request: HTTPRequest) async throws(GatewayError) -> Principal {
        if let known = knownPrincipal(of: request) { return known }
        do {
            let fields = request.headers.values(of: "Authorization")
            guard fields.isEmpty else { return try await authenticate(authorization: fields) }
            return try await authenticate(apiKey: request.headers.values(of: "X-API-Key"))
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
            self.init(.missingCredentials, "The request has no key. Send it as: Authorization: Bearer <key>.")
        case .malformed:
            self.init(
                .invalidCredentials,
                "The Authorization header is malformed. Send it once, as: Authorization: Bearer <key>.")
        case .malformedAPIKey:
            self.init(.invalidCredentials, "The X-API-Key header is malformed. Send it once, with only the key.")
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
        case .disabled:
            self.init(.invalidCredentials, "This key is switched off. Ask the gateway's operator to switch it on.")
        case .expired:
            self.init(.tokenExpired, "This key has expired. Ask the gateway's operator for another one.")
        case .unavailable:
            self.init(.storeUnavailable, "The gateway cannot look the key up. Send the request again in a few seconds.")
        }
    }
}
