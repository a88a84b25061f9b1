public import Base
internal import GatewayConfiguration
internal import KlingAPI
public import TaskStore

/// Provides the secrets that sign callbacks to tenants.
public protocol WebhookSecretSource: Sendable {
    /// The tenant's secrets that are valid at `now`, in milliseconds since 1970, the current one first.
    func secrets(of tenant: String, at now: Int64) async throws -> [Secret]
}

/// The webhook secrets, sealed in the store. Every function throws the store's errors, and ``VaultError`` if the master
/// key isn't the store's.
public struct WebhookSecrets: WebhookSecretSource {
    private let keys: any KeyStore
    private let vault: Vault

    /// Reads secrets from `keys`, sealed by `vault`.
    public init(keys: any KeyStore, vault: Vault) {
        self.keys = keys
        self.vault = vault
    }

    /// A tenant's secrets: the current one, which is made on first use, and during a rotation also the previous one.
    public func secrets(of tenant: String, at now: Int64 = WallClock.milliseconds) async throws -> [Secret] {
        let kept = try await keys.tenant(
            orInsert: TenantRecord(
                name: tenant, sealedWebhookSecret: vault.seal(Self.made(), .webhookSecret, of: tenant), createdAt: now))
        var sealed = [kept.sealedWebhookSecret]
        if let previous = kept.previousSealedWebhookSecret, let end = kept.previousValidUntil, end > now {
            sealed.append(previous)
        }
        return try sealed.map { try vault.open($0, .webhookSecret, of: tenant) }
    }

    /// Makes a new secret for a tenant. Until `grace` has passed, deliveries are signed with both.
    /// - Returns: the new secret.
    public func rotate(
        tenant: String, grace: Duration, at now: Int64 = WallClock.milliseconds
    ) async throws -> Secret {
        // Makes sure that the tenant exists and that the master key can open its secret.
        _ = try await secrets(of: tenant, at: now)
        let made = Self.made()
        _ = try await keys.rotateWebhookSecret(
            tenant: tenant, sealed: vault.seal(made, .webhookSecret, of: tenant),
            previousValidUntil: now + max(0, grace.nanoseconds / 1_000_000), at: now)
        return made
    }

    /// Parses how long an old secret stays valid: `30m`, `24h`, at most `30d`.
    public static func grace(_ text: String) -> Duration? {
        ValueFormat<Duration>.duration(.zero ... .seconds(30 * 86_400)).parse(text)
    }

    /// A secret of 32 random bytes from the system.
    private static func made() -> Secret {
        var random = SystemRandomNumberGenerator()
        return WebhookSignature.secret(key: (0..<32).map { _ in .random(in: .min ... .max, using: &random) })
    }
}
