/// The tables of what operators set and see.
extension PostgresSchema {
    /// Every change of a key or of a tenant's rules raises the version, and tells all processes.
    static let keys = """
        CREATE TABLE tenants (
            name text COLLATE "C" PRIMARY KEY,
            sealed_webhook_secret bytea NOT NULL,
            created_at bigint NOT NULL,
            previous_sealed_webhook_secret bytea,
            previous_valid_until bigint
        );
        CREATE TABLE keys (
            key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            id text COLLATE "C" NOT NULL UNIQUE,
            tenant text COLLATE "C" NOT NULL,
            bearer_hash bytea NOT NULL UNIQUE,
            access_key text COLLATE "C" NOT NULL UNIQUE,
            sealed_secret_key bytea NOT NULL,
            created_at bigint NOT NULL,
            revoked_at bigint,
            name text NOT NULL DEFAULT '',
            prefix text NOT NULL DEFAULT '',
            requests_per_minute bigint,
            concurrency bigint,
            models text NOT NULL DEFAULT '',
            addresses text NOT NULL DEFAULT '',
            expires_at bigint,
            disabled integer NOT NULL DEFAULT 0
        );
        CREATE TABLE previous_secrets (
            bearer_hash bytea PRIMARY KEY,
            key_id text COLLATE "C" NOT NULL,
            prefix text NOT NULL,
            access_key text NOT NULL,
            sealed_secret_key bytea NOT NULL,
            valid_until bigint NOT NULL
        );
        CREATE TABLE key_uses (key_id text COLLATE "C" PRIMARY KEY, last_used_at bigint NOT NULL);
        CREATE TABLE tenant_rules (
            name text COLLATE "C" PRIMARY KEY,
            time_zone text NOT NULL,
            requests_per_minute bigint,
            concurrency bigint,
            models text NOT NULL,
            addresses text NOT NULL,
            expires_at bigint,
            disabled integer NOT NULL,
            updated_at bigint NOT NULL
        );
        CREATE TABLE budgets (
            tenant text COLLATE "C" NOT NULL,
            metric integer NOT NULL,
            period integer NOT NULL,
            amount bigint NOT NULL,
            warn_at bigint,
            raised_amount bigint,
            raised_until bigint,
            PRIMARY KEY (tenant, metric, period)
        );
        CREATE TABLE key_version (version bigint NOT NULL);
        INSERT INTO key_version VALUES (0);
        CREATE FUNCTION note_key_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                UPDATE key_version SET version = version + 1;
                PERFORM pg_notify('kling_gateway_keys', '');
                RETURN NULL;
            END $$;
        CREATE TRIGGER keys_changed AFTER INSERT OR UPDATE OR DELETE ON keys
            FOR EACH STATEMENT EXECUTE FUNCTION note_key_change();
        CREATE TRIGGER secrets_changed AFTER INSERT ON previous_secrets
            FOR EACH STATEMENT EXECUTE FUNCTION note_key_change();
        CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE ON tenant_rules
            FOR EACH STATEMENT EXECUTE FUNCTION note_key_change();
        """

    static let operators = """
        CREATE TABLE usage (
            day bigint NOT NULL,
            tenant text COLLATE "C" NOT NULL,
            key_id text COLLATE "C" NOT NULL,
            account text COLLATE "C" NOT NULL,
            model text COLLATE "C" NOT NULL,
            outcome integer NOT NULL,
            currency text COLLATE "C" NOT NULL,
            tasks bigint NOT NULL,
            units bigint NOT NULL,
            cash bigint NOT NULL,
            bytes bigint NOT NULL,
            times bytea NOT NULL,
            PRIMARY KEY (day, tenant, key_id, account, model, outcome, currency)
        ) WITH (fillfactor = 50);
        CREATE INDEX usage_tenants ON usage (tenant, day);
        CREATE TABLE audit (
            entry bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            at bigint NOT NULL,
            who text NOT NULL,
            origin text NOT NULL,
            action text NOT NULL,
            target text COLLATE "C" NOT NULL,
            before text,
            after text
        );
        CREATE INDEX audit_targets ON audit (target, entry);
        CREATE FUNCTION keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'the audit log is only appended to'; END $$;
        CREATE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
            FOR EACH STATEMENT EXECUTE FUNCTION keep_audit();
        """
}
