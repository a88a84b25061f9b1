public import Base
internal import Crypto

/// A JSON Web Token from a client: parsed, but not trusted until ``verify(secretKey:now:)`` returns.
public struct ClientToken: Sendable {
    /// The maximum length of a token, in bytes.
    public static let maxBytes = 4096
    /// How far in the future a token may expire, in seconds.
    public static let maxLifetime = 24 * 60 * 60
    /// The tolerated clock skew, in seconds.
    public static let leeway = 60

    /// The access key that the token names.
    public let issuer: String

    private let expires: Double
    private let notBefore: Double?
    private let signed: [UInt8]
    private let signature: [UInt8]

    /// Whether `text` looks like a token: it starts with `ey` and has three parts.
    public static func looksLikeToken(_ text: String) -> Bool {
        text.hasPrefix("ey") && text.utf8.count { $0 == UInt8(ascii: ".") } == 2
    }

    /// Reads a token. HS256 is the only accepted algorithm, whatever else the header says.
    public init(_ text: String) throws(TokenFault) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.maxBytes else { throw .malformed }
        guard !bytes.contains(where: Self.foreignLetters.contains) else { throw .encoding }
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]), let claims = Self.object(parts[1]) else {
            throw .malformed
        }
        try Self.check(header)
        guard let issuer = claims.string("iss"), !issuer.isEmpty else { throw .noIssuer }
        guard let expires = try Self.time("exp", of: claims) else { throw .noExpiry }
        guard expires < Self.minMilliseconds else { throw .expiryNotSeconds }
        let notBefore = try Self.time("nbf", of: claims)
        guard let signature = Base64.decode(parts[2], .urlSafe), signature.count == SHA256.byteCount else {
            throw .malformed
        }
        self.issuer = issuer
        self.expires = expires
        self.notBefore = notBefore
        signed = Array(bytes[..<(parts[2].startIndex - 1)])
        self.signature = signature
    }

    /// Verifies the token at `now`, in seconds since 1970, or throws why it is rejected. The signature is checked
    /// first, in constant time.
    public func verify(secretKey: Secret, now: Int) throws(TokenFault) {
        let key = SymmetricKey(data: Array(secretKey.reveal().utf8))
        guard HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: signed, using: key) else {
            throw .signature
        }
        let now = Double(now)
        let leeway = Double(Self.leeway)
        guard now < expires + leeway else { throw .expired }
        guard expires <= now + Double(Self.maxLifetime) + leeway else {
            throw .tooLong(seconds: Int(expires - now))
        }
        if let notBefore, now + leeway < notBefore { throw .notYetValid }
    }

    /// What standard base64 has and base64url lacks.
    private static let foreignLetters = Set("=+/".utf8)
    /// No `exp` in seconds is as large (it would be in the year 5138), and all in milliseconds since 1973 are larger.
    private static let minMilliseconds = 1e11

    private static func check(_ header: JSONObject) throws(TokenFault) {
        guard let algorithm = header.string("alg"), header["crit"] == nil else { throw .malformed }
        // The name is repeated to the client, and must not be anything secret that was put there.
        guard algorithm == "HS256" else { throw .algorithm(algorithm.utf8.count <= 8 ? algorithm : "") }
    }

    private static func object(_ part: ArraySlice<UInt8>) -> JSONObject? {
        Base64.decode(part, .urlSafe).flatMap { JSONObject($0) }
    }

    /// A time claim, which may be fractional (RFC 7519 section 2).
    private static func time(_ name: StaticString, of claims: JSONObject) throws(TokenFault) -> Double? {
        guard let member = claims[name] else { return nil }
        guard member.kind == .number, let value = JSONNumber.value(claims.bytes.span, member.value) else {
            throw .notNumber(claim: "\(name)")
        }
        return value
    }
}
