/// The keys, and the tenants that they belong to.
///
/// As everywhere in the store, a write is on disk when it returns, any thread may call, and times are milliseconds
/// since 1970.
public protocol KeyStore: Sendable {
    /// Stores a key.
    /// - Throws: `alreadyExists`.
    func insert(_ key: NewKey) async throws(StoreError)

    /// Returns every key, revoked ones included, oldest first.
    func all() async throws(StoreError) -> [KeyRecord]

    /// Revokes a key. Revoking it again keeps the earlier time.
    /// - Throws: `notFound`.
    func revoke(_ id: String, at time: Int64) async throws(StoreError)

    /// Returns a number that increases with every change of a key by any process. Cheap to call.
    func version() async throws(StoreError) -> Int64

    /// Returns a digest of the master key of the gateway that serves, or served last; nil if none did yet.
    func masterKeyMark() async throws(StoreError) -> [UInt8]?

    /// Stores the digest of the master key of the gateway that serves.
    func keepMasterKeyMark(_ mark: [UInt8]) async throws(StoreError)

    /// Returns the tenant of that name, or stores `tenant` and returns it.
    func tenant(orInsert tenant: TenantRecord) async throws(StoreError) -> TenantRecord

    /// Gives a tenant a new webhook secret. Its previous secret also signs until `previousValidUntil`. A tenant that
    /// does not exist is created.
    func rotateWebhookSecret(
        tenant name: String, sealed secret: [UInt8], previousValidUntil: Int64, at time: Int64
    ) async throws(StoreError) -> TenantRecord
}

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
