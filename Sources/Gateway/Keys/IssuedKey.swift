public import Base
internal import KlingAPI

/// A new key with its secrets, which are shown once.
public struct IssuedKey: Sendable {
    public let tenant: String
    public let id: String
    /// The bearer key.
    public let key: Secret
    public let accessKey: String
    public let secretKey: Secret
    /// The tenant's current webhook secret.
    public let webhookSecret: Secret

    /// The JSON for scripts, including the secrets.
    public func json() -> [UInt8] {
        JSONWriter.object { writer in
            writer.member("tenant", tenant)
            writer.member("id", id)
            writer.member("key", key.reveal())
            writer.member("access_key", accessKey)
            writer.member("secret_key", secretKey.reveal())
            writer.member("webhook_secret", webhookSecret.reveal())
        }
    }
}
