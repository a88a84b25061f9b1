public import KlingAPI

/// Why a request isn't authenticated.
public enum AccessRefusal: Error, Sendable, Hashable {
    /// There are no credentials.
    case missing
    /// They are not a single bearer key or token; the store wasn't asked.
    case malformed
    /// There are several `X-API-Key` fields, or one that is not a single word; the store wasn't asked.
    case malformedAPIKey
    /// There is a key or token without the word `Bearer`; the store wasn't asked.
    case schemeMissing
    /// The key never existed, or it is revoked.
    case unknown
    /// The key, or its tenant, is switched off for now.
    case disabled
    /// The key, or its tenant, has expired.
    case expired
    /// It is an access key, with which clients sign tokens, and not a bearer key.
    case accessKey
    /// It is a token, which is rejected.
    case token(TokenFault)
    /// The store can't be read, and the keys in memory don't decide.
    case unavailable

    /// Kling's code for it; `nil` if it isn't the client's fault.
    public var code: KlingCode? {
        switch self {
        case .missing: .authorizationEmpty
        case .malformed, .malformedAPIKey, .schemeMissing, .unknown, .disabled, .accessKey: .authorizationInvalid
        case .expired: .tokenExpired
        case .token(let fault): fault.code
        case .unavailable: nil
        }
    }
}
