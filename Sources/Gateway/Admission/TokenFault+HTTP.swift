internal import KlingAPI

extension GatewayError {
    /// Tells a client why its token was rejected, and how to sign one that is not. Nothing of the token is repeated
    /// but the name of its algorithm.
    init(_ fault: TokenFault) {
        let cause: Cause =
            switch fault {
            case .notYetValid: .tokenNotYetValid
            case .expired: .tokenExpired
            default: .invalidCredentials
            }
        self.init(cause, fault.message)
    }
}

extension TokenFault {
    fileprivate var message: String {
        switch self {
        case .malformed:
            "The token is not a readable JSON Web Token. Sign a header with alg and claims with iss and exp."
        case .encoding:
            "The token is not base64url. Write - for +, _ for /, and no = at the end of its parts."
        case .algorithm(let name):
            "The token is signed with \(name.isEmpty ? "another algorithm" : name); HS256 is needed."
        case .noIssuer: "The token has no iss. Sign it with iss = the access key."
        case .noExpiry: "The token has no exp. Sign it with exp = now + 1800, in seconds since 1970."
        case .notNumber(let claim):
            "The token's \(claim) is not a number. Write it without quotes, in seconds since 1970."
        case .expiryNotSeconds:
            "The token's exp is in milliseconds, or far too large. Sign it with exp = now + 1800, in seconds since 1970."
        case .signature: "The token's signature is wrong. Sign it with the secret key of its iss."
        case .tooLong(let seconds):
            "The token's exp is \(Self.span(seconds)) ahead; at most \(ClientToken.maxLifetime / 3600) h are allowed. "
                + "Sign it with exp = now + 1800."
        case .notYetValid: "The token is not valid yet. Check this machine's clock and the token's nbf."
        case .expired: "The token has expired. Sign a new one; check this machine's clock."
        }
    }

    /// A time of more than a day, such as `24 h 4 min` or `7 days`, rounded.
    private static func span(_ seconds: Int) -> String {
        let minutes = (seconds + 30) / 60
        return minutes < 48 * 60 ? "\(minutes / 60) h \(minutes % 60) min" : "\((minutes + 720) / 1440) days"
    }
}
