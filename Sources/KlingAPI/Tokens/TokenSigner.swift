public import Base
internal import Crypto

/// Signs the tokens that an account sends to Kling: JSON Web Tokens (RFC 7519) with HS256.
///
/// A token is reused until half of its lifetime has passed. Safe to use from any thread.
public final class TokenSigner: Sendable {
    /// How long a token is valid, in seconds.
    public static let lifetime = 1800
    /// How long before its creation a token becomes valid, in seconds.
    public static let leeway = 5

    private struct Current {
        let token: String
        let madeAt: Int
    }

    /// The issuer of the tokens: `iss`.
    public let accessKey: String
    private let key: SymmetricKey
    private let current = Lock<Current?>(nil)

    /// Signs for `accessKey` with the raw text of `secretKey`.
    public init(accessKey: String, secretKey: Secret) {
        self.accessKey = accessKey
        key = SymmetricKey(data: Array(secretKey.reveal().utf8))
    }

    /// A token that is valid at `now`, in seconds since 1970.
    public func token(now: Int) -> String {
        let kept = current.withLock { current in
            current.flatMap { ($0.madeAt..<$0.madeAt + Self.lifetime / 2).contains(now) ? $0.token : nil }
        }
        if let kept { return kept }
        let token = sign(now)
        current.withLock { $0 = Current(token: token, madeAt: now) }
        return token
    }

    /// Drops `token`, which Kling has refused, so that the next call signs a new one.
    public func invalidate(_ token: String) {
        current.withLock { current in
            if current?.token == token { current = nil }
        }
    }

    private static let header = Base64.encode(#"{"alg":"HS256","typ":"JWT"}"#.utf8, .urlSafe)

    private func sign(_ now: Int) -> String {
        let claims = JSONWriter.object { writer in
            writer.member("iss", accessKey)
            writer.member("exp", now + Self.lifetime)
            writer.member("nbf", now - Self.leeway)
        }
        let signed = Self.header + "." + Base64.encode(claims, .urlSafe)
        let code = HMAC<SHA256>.authenticationCode(for: Array(signed.utf8), using: key)
        return signed + "." + Base64.encode(code, .urlSafe)
    }
}
