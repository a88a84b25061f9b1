/// A key to store: the gateway's bearer key, and its access key with secret key. Times are milliseconds since 1970.
public struct NewKey: Sendable, Equatable {
    /// A short name for the key, such as `key_01J…`.
    public var id: String
    public var tenant: String
    /// The SHA-256 of the bearer key, 32 bytes.
    public var bearerHash: [UInt8]
    /// The access key, which is not secret.
    public var accessKey: String
    /// The secret key, encrypted.
    public var sealedSecretKey: [UInt8]
    public var createdAt: Int64

    public init(
        id: String, tenant: String, bearerHash: [UInt8], accessKey: String, sealedSecretKey: [UInt8], createdAt: Int64
    ) {
        self.id = id
        self.tenant = tenant
        self.bearerHash = bearerHash
        self.accessKey = accessKey
        self.sealedSecretKey = sealedSecretKey
        self.createdAt = createdAt
    }
}

/// A stored key.
public struct KeyRecord: Sendable, Equatable {
    public let key: NewKey
    /// When the key was revoked, in milliseconds since 1970; nil while it is valid.
    public let revokedAt: Int64?

    public init(key: NewKey, revokedAt: Int64?) {
        self.key = key
        self.revokedAt = revokedAt
    }
}

/// The owner of tasks.
public struct TenantRecord: Sendable, Equatable {
    public let name: String
    /// The secret that signs deliveries to the tenant, encrypted.
    public let sealedWebhookSecret: [UInt8]
    /// The previous secret, encrypted. It also signs until ``previousValidUntil``.
    public let previousSealedWebhookSecret: [UInt8]?
    /// Milliseconds since 1970; nil if there is no previous secret.
    public let previousValidUntil: Int64?
    /// Milliseconds since 1970.
    public let createdAt: Int64

    public init(
        name: String, sealedWebhookSecret: [UInt8], previousSealedWebhookSecret: [UInt8]? = nil,
        previousValidUntil: Int64? = nil, createdAt: Int64
    ) {
        self.name = name
        self.sealedWebhookSecret = sealedWebhookSecret
        self.previousSealedWebhookSecret = previousSealedWebhookSecret
        self.previousValidUntil = previousValidUntil
        self.createdAt = createdAt
    }
}
