public import KlingAPI

/// Why a request isn't authenticated.
public enum AccessRefusal: String, Error, Sendable, CaseIterable {
    /// There are no credentials.
    case missing
    /// They are not a single bearer key or token; the store wasn't asked.
    case malformed
    /// The key never existed, or it is revoked.
    case unknown
    /// The token was not signed by its issuer.
    case signature
    /// The token isn't valid yet.
    case notYetValid
    /// The token has expired.
    case expired
    /// The store can't be read, and the keys in memory don't decide.
    case unavailable

    /// Kling's code for it; `nil` if it isn't the client's fault.
    public var code: KlingCode? {
        switch self {
        case .missing: .authorizationEmpty
        case .malformed, .unknown, .signature: .authorizationInvalid
        case .notYetValid: .tokenNotYetValid
        case .expired: .tokenExpired
        case .unavailable: nil
        }
    }

    init(_ fault: TokenFault) {
        switch fault {
        case .malformed, .tooLong: self = .malformed
        case .signature: self = .signature
        case .notYetValid: self = .notYetValid
        case .expired: self = .expired
        }
    }
}
