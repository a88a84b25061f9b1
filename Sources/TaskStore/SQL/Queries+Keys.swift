/// The statements of keys and tenants.
extension Query {
    private static let rules = "requests_per_minute, concurrency, models, addresses, expires_at, disabled"

    var keySQL: String? {
        switch self {
        case .insertKey:
            """
            INSERT INTO keys (id, tenant, bearer_hash, access_key, sealed_secret_key, created_at, name, prefix,
            \(Self.rules)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
            """
        case .keys:
            """
            SELECT id, tenant, bearer_hash, access_key, sealed_secret_key, created_at, name, prefix, \(Self.rules),
            revoked_at, last_used_at FROM keys LEFT JOIN key_uses ON key_id = id ORDER BY key
            """
        case .changeKey:
            """
            UPDATE keys SET name = ?2, requests_per_minute = ?3, concurrency = ?4, models = ?5, addresses = ?6,
            expires_at = ?7, disabled = ?8 WHERE id = ?1
            """
        case .replaceSecrets:
            "UPDATE keys SET bearer_hash = ?2, access_key = ?3, sealed_secret_key = ?4, prefix = ?5 WHERE id = ?1"
        case .revokeKey:
            "UPDATE keys SET revoked_at = \(SQLWords.smaller("coalesce(revoked_at, ?2)", "?2")) WHERE id = ?1"
        case .keyByID: "SELECT bearer_hash, prefix, access_key, sealed_secret_key, revoked_at FROM keys WHERE id = ?1"
        case .keyVersion: "SELECT version FROM key_version"
        case .noteKeyUse:
            """
            INSERT INTO key_uses (key_id, last_used_at) VALUES (?1, ?2)
            ON CONFLICT (key_id) DO UPDATE SET last_used_at = \(SQLWords.larger("key_uses.last_used_at", "?2"))
            """
        case .insertTenant:
            """
            INSERT INTO tenants (name, sealed_webhook_secret, created_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING
            """
        case .rotateTenant:
            """
            INSERT INTO tenants (name, sealed_webhook_secret, created_at) VALUES (?1, ?2, ?3)
            ON CONFLICT (name) DO UPDATE SET previous_sealed_webhook_secret = tenants.sealed_webhook_secret,
            previous_valid_until = ?4, sealed_webhook_secret = ?2
            """
        case .tenant:
            """
            SELECT name, sealed_webhook_secret, previous_sealed_webhook_secret, previous_valid_until, created_at
            FROM tenants WHERE name = ?1
            """
        default: nil
        }
    }

    var secretSQL: String? {
        switch self {
        case .insertPreviousSecrets:
            """
            INSERT INTO previous_secrets (bearer_hash, key_id, prefix, access_key, sealed_secret_key, valid_until)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """
        case .previousSecrets:
            """
            SELECT bearer_hash, key_id, prefix, access_key, sealed_secret_key, valid_until FROM previous_secrets
            ORDER BY valid_until
            """
        case .endPreviousSecrets: "DELETE FROM previous_secrets WHERE key_id = ?1 AND valid_until <= ?2"
        default: nil
        }
    }

    var ruleSQL: String? {
        switch self {
        case .tenantRules: "SELECT name, time_zone, \(Self.rules) FROM tenant_rules ORDER BY name"
        case .keepTenantRules:
            """
            INSERT INTO tenant_rules (name, time_zone, \(Self.rules), updated_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
            ON CONFLICT (name) DO UPDATE SET time_zone = ?2, requests_per_minute = ?3, concurrency = ?4, models = ?5,
            addresses = ?6, expires_at = ?7, disabled = ?8, updated_at = ?9
            """
        case .budgets: budgets(where: "true")
        case .budgetsOf: budgets(where: "tenant = ?1")
        case .dropBudgets: "DELETE FROM budgets WHERE tenant = ?1"
        case .insertBudget:
            """
            INSERT INTO budgets (tenant, metric, period, amount, warn_at, raised_amount, raised_until)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            """
        case .tenantNames:
            """
            SELECT name FROM tenants UNION SELECT name FROM tenant_rules UNION SELECT tenant FROM keys
            UNION SELECT DISTINCT tenant FROM usage UNION SELECT DISTINCT tenant FROM tasks WHERE finished_at IS NULL
            ORDER BY 1
            """
        default: nil
        }
    }

    private func budgets(where condition: String) -> String {
        """
        SELECT tenant, metric, period, amount, warn_at, raised_amount, raised_until FROM budgets WHERE \(condition)
        ORDER BY tenant, metric, period
        """
    }
}
