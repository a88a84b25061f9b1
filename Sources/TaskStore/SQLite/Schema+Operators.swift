/// The tables of what operators set and see.
extension Schema {
    /// What keys and tenants may do. Lists are lines. A key's previous secrets are kept while they are valid.
    static let rules = """
        ALTER TABLE keys ADD COLUMN name TEXT NOT NULL DEFAULT '';
        ALTER TABLE keys ADD COLUMN prefix TEXT NOT NULL DEFAULT '';
        ALTER TABLE keys ADD COLUMN requests_per_minute INTEGER;
        ALTER TABLE keys ADD COLUMN concurrency INTEGER;
        ALTER TABLE keys ADD COLUMN models TEXT NOT NULL DEFAULT '';
        ALTER TABLE keys ADD COLUMN addresses TEXT NOT NULL DEFAULT '';
        ALTER TABLE keys ADD COLUMN expires_at INTEGER;
        ALTER TABLE keys ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE previous_secrets (
            bearer_hash BLOB PRIMARY KEY,
            key_id TEXT NOT NULL,
            prefix TEXT NOT NULL,
            access_key TEXT NOT NULL,
            sealed_secret_key BLOB NOT NULL,
            valid_until INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE key_uses (key_id TEXT PRIMARY KEY, last_used_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE tenant_rules (
            name TEXT PRIMARY KEY,
            time_zone TEXT NOT NULL,
            requests_per_minute INTEGER,
            concurrency INTEGER,
            models TEXT NOT NULL,
            addresses TEXT NOT NULL,
            expires_at INTEGER,
            disabled INTEGER NOT NULL,
            updated_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE budgets (
            tenant TEXT NOT NULL,
            metric INTEGER NOT NULL,
            period INTEGER NOT NULL,
            amount INTEGER NOT NULL,
            warn_at INTEGER,
            raised_amount INTEGER,
            raised_until INTEGER,
            PRIMARY KEY (tenant, metric, period)
        ) STRICT, WITHOUT ROWID;
        CREATE TRIGGER secrets_replaced AFTER INSERT ON previous_secrets
            BEGIN UPDATE key_version SET version = version + 1; END;
        CREATE TRIGGER rules_inserted AFTER INSERT ON tenant_rules
            BEGIN UPDATE key_version SET version = version + 1; END;
        CREATE TRIGGER rules_updated AFTER UPDATE ON tenant_rules
            BEGIN UPDATE key_version SET version = version + 1; END;
        """

    /// What tasks have used, added up when they end. Unfinished tasks are in `tasks` alone: a create writes nothing here.
    /// `units` and `cash` are millionths. `times` is a ``TimeHistogram``. Tasks of older versions are counted on
    /// days in UTC.
    static let usage = """
        ALTER TABLE tasks ADD COLUMN day INTEGER;
        ALTER TABLE tasks ADD COLUMN units INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE tasks ADD COLUMN cash INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE tasks ADD COLUMN currency TEXT NOT NULL DEFAULT '';
        ALTER TABLE tasks ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE usage (
            day INTEGER NOT NULL,
            tenant TEXT NOT NULL,
            key_id TEXT NOT NULL,
            account TEXT NOT NULL,
            model TEXT NOT NULL,
            outcome INTEGER NOT NULL,
            currency TEXT NOT NULL,
            tasks INTEGER NOT NULL,
            units INTEGER NOT NULL,
            cash INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            times BLOB NOT NULL,
            PRIMARY KEY (day, tenant, key_id, account, model, outcome, currency)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO usage
            SELECT created_at / 86400000 AS day, tenant, coalesce(key_id, ''), account, model, state, '', count(*), 0, 0, 0, x''
            FROM tasks WHERE finished_at IS NOT NULL GROUP BY day, tenant, coalesce(key_id, ''), account, model, state;
        """

    static let audit = """
        CREATE TABLE audit (
            entry INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            who TEXT NOT NULL,
            origin TEXT NOT NULL,
            action TEXT NOT NULL,
            target TEXT NOT NULL,
            before TEXT,
            after TEXT
        ) STRICT;
        CREATE INDEX audit_targets ON audit (target, entry);
        CREATE TRIGGER audit_is_not_updated BEFORE UPDATE ON audit
            BEGIN SELECT raise(ABORT, 'the audit log is only appended to'); END;
        CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
            BEGIN SELECT raise(ABORT, 'the audit log is only appended to'); END;
        """
}
