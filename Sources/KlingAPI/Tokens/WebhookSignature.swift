public import Base
internal import Crypto

/// Signs and verifies callbacks as specified by Standard Webhooks: HMAC-SHA256 over id, timestamp and body.
public struct WebhookSignature: Sendable {
    /// How far a timestamp may be from the receiver's clock, in seconds.
    public static let tolerance = 300
    /// The prefix of a secret, before its base64.
    public static let secretPrefix = "whsec_"

    private let key: SymmetricKey

    /// Uses the secret `whsec_<base64>`; nil if it does not have this form.
    public init?(_ secret: Secret) {
        let text = secret.reveal()
        guard text.hasPrefix(Self.secretPrefix),
            let key = Base64.decode(text.dropFirst(Self.secretPrefix.count).utf8), !key.isEmpty
        else { return nil }
        self.key = SymmetricKey(data: key)
    }

    /// The secret for a key of random bytes.
    public static func secret(key: [UInt8]) -> Secret { Secret(secretPrefix + Base64.encode(key)) }

    /// The value of `webhook-signature` for a message.
    /// - Parameter timestamp: seconds since 1970.
    public func sign(id: String, timestamp: Int, body: [UInt8]) -> String {
        "v1," + Base64.encode(HMAC<SHA256>.authenticationCode(for: Self.text(id, String(timestamp), body), using: key))
    }

    /// Whether one of the signatures in `header` is valid and `timestamp` is within ``tolerance`` of `now`, in seconds
    /// since 1970.
    /// - Parameters:
    ///   - id: the value of `webhook-id`.
    ///   - timestamp: the value of `webhook-timestamp`.
    ///   - header: the value of `webhook-signature`: one or more signatures, separated by spaces.
    public func verify(id: String, timestamp: String, body: [UInt8], header: String, now: Int) -> Bool {
        guard let time = Int(timestamp), time >= 0, (now - Self.tolerance...now + Self.tolerance).contains(time) else {
            return false
        }
        let text = Self.text(id, timestamp, body)
        return header.utf8.split(separator: UInt8(ascii: " ")).prefix(Self.maxSignatures).contains { signature in
            guard signature.starts(with: "v1,".utf8), let code = Base64.decode(signature.dropFirst(3)) else {
                return false
            }
            return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: text, using: key)
        }
    }

    private static let maxSignatures = 8

    private static func text(_ id: String, _ timestamp: String, _ body: [UInt8]) -> [UInt8] {
        Array("\(id).\(timestamp).".utf8) + body
    }
}
