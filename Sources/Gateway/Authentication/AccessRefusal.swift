public import KlingAPI

/// Why a request isn't let in.
public enum AccessRefusal: String, Error, Sendable, CaseIterable {
    /// There are no credentials.
    case missing
    /// They are no single bearer key or token; the store wasn't asked.
    case malformed
    /// No valid key is like that: there never was one, or it is revoked.
    case unknown
    /// A token that its issuer hasn't signed.
    case signature
    /// A token whose time hasn't come.
    case notYetValid
    /// A token whose time is over.
    case expired
    /// The store can't be asked, and what is known doesn't say.
    case unavailable

    /// Kling's code for it; none for what isn't the client's fault.
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
