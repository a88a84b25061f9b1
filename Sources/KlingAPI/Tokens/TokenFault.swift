/// Why a token is rejected.
public enum TokenFault: Error, Sendable, Hashable {
    /// It is not a JSON Web Token that this gateway can read.
    case malformed
    /// It has padding, or letters of standard base64.
    case encoding
    /// Its header names an algorithm other than HS256; empty if the name is too long for one.
    case algorithm(String)
    /// It names no issuer.
    case noIssuer
    /// It has no `exp`.
    case noExpiry
    /// This claim is not a number.
    case notNumber(claim: String)
    /// Its `exp` is too large to be in seconds.
    case expiryNotSeconds
    /// It was not signed with the issuer's secret.
    case signature
    /// It expires more than ``ClientToken/maxLifetime`` ahead: in this many seconds.
    case tooLong(seconds: Int)
    case notYetValid
    case expired

    /// Kling's code for the fault.
    public var code: KlingCode {
        switch self {
        case .notYetValid: .tokenNotYetValid
        case .expired: .tokenExpired
        default: .authorizationInvalid
        }
    }
}
