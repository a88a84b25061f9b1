public import Base
public import TaskStore

/// Why a key can't be created or rotated.
public enum KeyIssueError: Error, Hashable, CustomStringConvertible {
    case badTenantName
    case noKey(String)
    case revoked(String)

    public var description: String {
        switch self {
        case .badTenantName: "a tenant's name is 1 to 64 letters, digits, dots, underscores and hyphens"
        case .noKey(let id): "there is no key \(id)"
        case .revoked(let id): "the key \(id) is revoked; create a new one for its tenant"
        }
    }
}

/// Creates, rotates and lists keys. Times are milliseconds since 1970.
///
/// Every function throws the store's errors, and ``VaultError`` if the master key isn't the store's.
public struct KeyIssuer: Sendable {
    private let keys: any KeyStore
    private let vault: Vault

    /// Gives the store that writes a change of a key, which may also add the change to the audit log.
    public typealias Recording = (_ before: KeyRecord?, _ after: KeyRecord) -> any KeyStore

    /// Creates an issuer that writes to `keys`, sealed by `vault`.
    public init(keys: any KeyStore, vault: Vault) {
        self.keys = keys
        self.vault = vault
    }

    /// Whether a tenant may have this name: 1 to 64 of `[A-Za-z0-9._-]`.
    public static func isTenantName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count) && name.utf8.allSatisfy(nameLetters.contains)
    }

    /// Creates a key for `tenant`. A tenant comes into existence with its first key.
    /// - Parameter recording: what writes it; nil: the store of the issuer.
    /// - Throws: ``KeyIssueError/badTenantName``.
    public func issue(
        tenant: String, name: String = "", rules: AccessRules = AccessRules(), at now: Int64 = WallClock.milliseconds,
        through recording: Recording? = nil
    ) async throws -> IssuedKey {
        guard Self.isTenantName(tenant) else { throw KeyIssueError.badTenantName }
        var ids = TaskIDGenerator()
        let issued = try await secrets(forKey: "key_\(ids.next(at: now))", of: tenant, at: now)
        let key = NewKey(
            id: issued.id, tenant: tenant, name: name, secrets: stored(issued), rules: rules, createdAt: now)
        try await (recording?(nil, KeyRecord(key: key, revokedAt: nil)) ?? keys).insert(key)
        return issued
    }

    /// Gives the key `id` new secrets. The ones before remain valid for `overlap`.
    /// - Parameter recording: what writes it; nil: the store of the issuer.
    /// - Throws: ``KeyIssueError/noKey(_:)``, ``KeyIssueError/revoked(_:)``.
    public func rotate(
        key id: String, overlap: Duration = .zero, at now: Int64 = WallClock.milliseconds,
        through recording: Recording? = nil
    ) async throws -> IssuedKey {
        guard let old = try await keys.all().first(where: { $0.key.id == id }) else { throw KeyIssueError.noKey(id) }
        guard old.revokedAt == nil else { throw KeyIssueError.revoked(id) }
        let issued = try await secrets(forKey: id, of: old.key.tenant, at: now)
        let end = now + max(0, overlap.nanoseconds / 1_000_000)
        var new = old
        new.key.secrets = stored(issued)
        if end > now { new.previous.append(PreviousSecrets(old.key.secrets, validUntil: end)) }
        do throws(StoreError) {
            try await (recording?(old, new) ?? keys)
                .rotate(id, to: new.key.secrets, previousValidUntil: end, at: now)
        } catch {
            if error.code == .stale { throw KeyIssueError.revoked(id) }
            throw error
        }
        return issued
    }

    private func secrets(forKey id: String, of tenant: String, at now: Int64) async throws -> IssuedKey {
        IssuedKey(
            tenant: tenant, id: id, key: Secret("sk-" + Self.random(48)), accessKey: "AK" + Self.random(30),
            secretKey: Secret(Self.random(48)), webhookSecret: try await webhookSecret(of: tenant, at: now))
    }

    /// The secrets of a key as they are stored.
    private func stored(_ issued: IssuedKey) -> KeySecrets {
        KeySecrets(
            bearerHash: Digest(of: issued.key).bytes, prefix: String(issued.key.reveal().prefix(Self.prefixLength)),
            accessKey: issued.accessKey, sealedSecretKey: vault.seal(issued.secretKey, .secretKey, of: issued.id))
    }

    /// How much of a bearer key is shown in lists: `sk-` and 5 of 48 characters.
    private static let prefixLength = 8

    /// Every key in `keys`, oldest first.
    public static func list(_ keys: any KeyStore, at now: Int64 = WallClock.milliseconds) async throws -> [ListedKey] {
        try await keys.all().map { ListedKey($0, now: now) }
    }

    /// The secret that signs deliveries to `tenant`: created at its first use, and unchanged until it is rotated.
    public func webhookSecret(of tenant: String, at now: Int64 = WallClock.milliseconds) async throws -> Secret {
        try await WebhookSecrets(keys: keys, vault: vault).secrets(of: tenant, at: now)[0]
    }

    private static let letters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    private static let nameLetters = Set(letters + Array("._-".utf8))

    /// A text of `count` letters and digits, each worth 5.95 random bits of the system's generator.
    private static func random(_ count: Int) -> String {
        var random = SystemRandomNumberGenerator()
        let text = (0..<count).map { _ in letters[Int.random(in: letters.indices, using: &random)] }
        return String(decoding: text, as: UTF8.self)
    }
}
