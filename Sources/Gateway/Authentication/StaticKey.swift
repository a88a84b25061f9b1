public import Base

/// A bearer key from the configuration: known without the store, and valid as long as the process runs.
public struct StaticKey: Sendable {
    let digest: Digest
    let principal: Principal

    /// Creates a key of `tenant`.
    public init(
        key: Secret, tenant: String, limits: Principal.Limits = Principal.Limits(),
        scope: Principal.Scope = Principal.Scope()
    ) {
        digest = Digest(of: key)
        principal = Principal(
            tenant: tenant, keyID: "static_" + digest.hexadecimal.prefix(16), limits: limits, scope: scope)
    }

    /// Creates a key with a tenant of its own: `key-` and the first 8 hexadecimal digits of its SHA-256.
    public init(key: Secret) {
        self.init(key: key, tenant: "key-" + Digest(of: key).hexadecimal.prefix(8))
    }
}
