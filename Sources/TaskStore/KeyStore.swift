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

    /// Changes the name and the rules of a key.
    /// - Throws: `notFound`.
    func change(_ id: String, name: String, rules: AccessRules) async throws(StoreError)

    /// Gives a key new secrets. The ones before are also valid until `previousValidUntil`.
    /// - Throws: `notFound`; `stale` if the key is revoked.
    func rotate(_ id: String, to secrets: KeySecrets, previousValidUntil: Int64, at time: Int64)
        async throws(StoreError)

    /// Revokes a key, and the secrets that it had before. Revoking it again keeps the earlier time.
    /// - Throws: `notFound`.
    func revoke(_ id: String, at time: Int64) async throws(StoreError)

    /// Records when keys were last used, by their ids. Static keys have ids too.
    func noteUses(_ uses: [String: Int64]) async throws(StoreError)

    /// Returns a number that increases with every change of a key or a tenant's rules by any process. Cheap to call.
    func version() async throws(StoreError) -> Int64

    /// Returns the rules of every tenant that was given any.
    func tenantRules() async throws(StoreError) -> [TenantRules]

    /// Stores the rules of a tenant, in place of those before.
    func keep(_ rules: TenantRules, at time: Int64) async throws(StoreError)

    /// Returns the names of all tenants that have a key, rules, tasks' usage or a webhook secret in the store.
    func tenantNames() async throws(StoreError) -> [String]

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

/// The gateway's bearer key, and its access key with secret key.
public struct KeySecrets: Sendable, Equatable {
    /// The SHA-256 of the bearer key, 32 bytes.
    public var bearerHash: [UInt8]
    /// The first characters of the bearer key, by which people recognize it; empty in records from when it was not kept.
    public var prefix: String
    /// The access key, which is not secret.
    public var accessKey: String
    /// The secret key, encrypted.
    public var sealedSecretKey: [UInt8]

    public init(bearerHash: [UInt8], prefix: String = "", accessKey: String, sealedSecretKey: [UInt8]) {
        self.bearerHash = bearerHash
        self.prefix = prefix
        self.accessKey = accessKey
        self.sealedSecretKey = sealedSecretKey
    }
}

/// A key to store. Times are milliseconds since 1970.
public struct NewKey: Sendable, Equatable {
    /// A short name for the key, such as `key_01J…`. Its limits and its use belong to it, whatever its secrets.
    public var id: String
    public var tenant: String
    /// What people call it; may be empty.
    public var name: String
    public var secrets: KeySecrets
    public var rules: AccessRules
    public var createdAt: Int64

    public init(
        id: String, tenant: String, name: String = "", secrets: KeySecrets, rules: AccessRules = AccessRules(),
        createdAt: Int64
    ) {
        self.id = id
        self.tenant = tenant
        self.name = name
        self.secrets = secrets
        self.rules = rules
        self.createdAt = createdAt
    }
}

/// A stored key. Times are milliseconds since 1970.
public struct KeyRecord: Sendable, Equatable {
    public var key: NewKey
    /// When the key was revoked; nil while it is valid.
    public var revokedAt: Int64?
    /// When it was last used, to within a minute; nil if it was not.
    public var lastUsedAt: Int64?
    /// The secrets that it had before and that are still valid, or were not yet removed.
    public var previous: [PreviousSecrets]

    public init(
        key: NewKey, revokedAt: Int64?, lastUsedAt: Int64? = nil, previous: [PreviousSecrets] = []
    ) {
        self.key = key
        self.revokedAt = revokedAt
        self.lastUsedAt = lastUsedAt
        self.previous = previous
    }
}

/// Secrets that a rotation has replaced.
public struct PreviousSecrets: Sendable, Equatable {
    public let secrets: KeySecrets
    /// Milliseconds since 1970.
    public let validUntil: Int64

    public init(_ secrets: KeySecrets, validUntil: Int64) {
        self.secrets = secrets
        self.validUntil = validUntil
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
