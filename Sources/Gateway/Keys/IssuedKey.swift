public import Base

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
}
