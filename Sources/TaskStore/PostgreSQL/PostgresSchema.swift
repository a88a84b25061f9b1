internal import PostgreSQL

/// The tables, as named migrations from an empty database to the current schema. They are in a schema of
/// their own, the session's `search_path`.
///
/// A released migration is never edited: a later change is another migration.
enum PostgresSchema {
    /// Brings the schema up to date. Several processes may do so at once: one waits for the other.
    /// - Throws: `newerSchema` if a newer version of the program has migrated the database.
    static func migrate(_ session: PostgresSession) throws(PostgresError) {
        try session.execute("BEGIN")
        do throws(PostgresError) {
            try session.execute("SELECT pg_advisory_xact_lock(hashtextextended('kling_gateway schema', 0))")
            try session.execute("CREATE SCHEMA IF NOT EXISTS \(try session.execute("SHOW search_path") ?? "")")
            try session.execute("CREATE TABLE IF NOT EXISTS migrations (number bigint PRIMARY KEY, name text NOT NULL)")
            let done = try version(session)
            for (number, step) in steps.enumerated() where number >= done {
                try session.execute(step.sql)
                try session.execute("INSERT INTO migrations VALUES (\(number), '\(step.name)')")
            }
            try session.execute("COMMIT")
        } catch {
            _ = try? session.execute("ROLLBACK")
            throw error
        }
    }

    /// Whether a newer version of the program has migrated the database.
    static func isNewer(_ session: PostgresSession) throws(PostgresError) -> Bool {
        let exists = try session.execute("SELECT to_regclass('migrations') IS NOT NULL")
        return exists == "t" ? try version(session) > steps.count : false
    }

    private static func version(_ session: PostgresSession) throws(PostgresError) -> Int {
        Int(try session.execute("SELECT (coalesce(max(number), -1) + 1)::text FROM migrations") ?? "")
            ?? 0
    }

    private static let steps = [
        (name: "tasks", sql: tasks), (name: "claims and jobs", sql: claimsAndJobs), (name: "outbox", sql: outbox),
        (name: "keys", sql: keys), (name: "marks", sql: marks), (name: "operators", sql: operators),
        (name: "replicas", sql: replicas), (name: "rates", sql: rates), (name: "bodies", sql: bodies),
        (name: "commits", sql: commits),
    ]

    /// Texts compare by their bytes, as in Swift's order of the lanes, whatever the database's collation. A row leaves
    /// room for its later states, so that most updates stay on its page.
    private static let tasks = """
        CREATE TABLE tasks (
            task bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            id uuid NOT NULL UNIQUE,
            tenant text COLLATE "C" NOT NULL,
            account text COLLATE "C" NOT NULL,
            external_task_id text COLLATE "C",
            model text COLLATE "C" NOT NULL,
            callback_url text,
            created_at bigint NOT NULL,
            state integer NOT NULL,
            flags integer NOT NULL,
            number bigint,
            public_id text COLLATE "C",
            upstream_id text COLLATE "C",
            status_word text NOT NULL,
            answer bytea,
            released integer NOT NULL,
            updated_at bigint NOT NULL,
            finished_at bigint,
            key_id text COLLATE "C",
            idempotency_key text,
            payload bigint NOT NULL DEFAULT 0,
            job bigint,
            job_index bigint,
            account_identity bigint,
            content uuid,
            api text,
            shape text,
            day bigint,
            units bigint NOT NULL DEFAULT 0,
            cash bigint NOT NULL DEFAULT 0,
            currency text COLLATE "C" NOT NULL DEFAULT '',
            bytes bigint NOT NULL DEFAULT 0,
            owner bigint NOT NULL DEFAULT current_setting('kling_gateway.replica')::bigint
        ) WITH (fillfactor = 70);
        CREATE UNIQUE INDEX tasks_claims ON tasks (tenant, external_task_id)
            WHERE external_task_id IS NOT NULL AND released = 0;
        CREATE UNIQUE INDEX tasks_numbers ON tasks (tenant, number) WHERE number IS NOT NULL;
        CREATE INDEX tasks_public_ids ON tasks (public_id, tenant) WHERE public_id IS NOT NULL;
        CREATE INDEX tasks_upstream_ids ON tasks (upstream_id) WHERE upstream_id <> public_id;
        CREATE INDEX tasks_unfinished ON tasks (id) WHERE finished_at IS NULL;
        CREATE INDEX tasks_held ON tasks (tenant, key_id, day) INCLUDE (units) WHERE finished_at IS NULL;
        CREATE INDEX tasks_contents ON tasks (content, tenant, task) WHERE content IS NOT NULL;
        CREATE INDEX tasks_running ON tasks (account) WHERE finished_at IS NULL;
        CREATE INDEX tasks_released ON tasks (tenant, external_task_id) WHERE released = 1 AND public_id IS NOT NULL;
        """

    /// Job numbers start in the range of other gateways' integer ids and are never reused.
    private static let claimsAndJobs = """
        CREATE TABLE idempotency_keys (
            claim bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            tenant text COLLATE "C" NOT NULL,
            key text COLLATE "C" NOT NULL,
            fingerprint bytea NOT NULL,
            task uuid NOT NULL,
            created_at bigint NOT NULL,
            status bigint,
            body bytea,
            UNIQUE (tenant, key)
        );
        CREATE INDEX idempotency_ages ON idempotency_keys (created_at);
        CREATE TABLE jobs (
            job bigint GENERATED ALWAYS AS IDENTITY (START WITH 100000001) PRIMARY KEY,
            tenant text COLLATE "C" NOT NULL,
            shape text COLLATE "C" NOT NULL,
            request bytea NOT NULL,
            callback_url text,
            callback_ref text,
            idempotency_key text,
            fingerprint bytea,
            account text,
            created_at bigint NOT NULL
        );
        CREATE INDEX jobs_tenants ON jobs (tenant, shape, created_at);
        CREATE INDEX jobs_ages ON jobs (created_at);
        CREATE INDEX jobs_fingerprints ON jobs (tenant, fingerprint, created_at) WHERE fingerprint IS NOT NULL;
        ALTER TABLE tasks ADD FOREIGN KEY (job) REFERENCES jobs ON DELETE CASCADE;
        CREATE UNIQUE INDEX tasks_jobs ON tasks (job, job_index) WHERE job IS NOT NULL;
        CREATE INDEX tasks_running_jobs ON tasks (tenant, job) WHERE job IS NOT NULL AND finished_at IS NULL;
        """

    private static let outbox = """
        CREATE TABLE deliveries (
            delivery bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            id text COLLATE "C" NOT NULL UNIQUE,
            task uuid NOT NULL,
            tenant text COLLATE "C" NOT NULL,
            receiver text COLLATE "C" NOT NULL,
            last integer NOT NULL,
            created_at bigint NOT NULL,
            state integer NOT NULL,
            attempts bigint NOT NULL,
            leased integer NOT NULL,
            next_attempt_at bigint,
            pause bigint NOT NULL,
            finished_at bigint,
            url text NOT NULL,
            body bytea NOT NULL,
            owner bigint NOT NULL DEFAULT current_setting('kling_gateway.replica')::bigint,
            CHECK ((state = 0) = (next_attempt_at IS NOT NULL))
        ) WITH (fillfactor = 80);
        CREATE INDEX deliveries_due ON deliveries (owner, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
        CREATE INDEX deliveries_tasks ON deliveries (task);
        CREATE INDEX deliveries_finished ON deliveries (finished_at) WHERE finished_at IS NOT NULL;
        CREATE INDEX deliveries_lanes ON deliveries (owner, tenant, receiver, next_attempt_at)
            WHERE next_attempt_at IS NOT NULL;
        CREATE TABLE delivery_attempts (
            delivery bigint NOT NULL REFERENCES deliveries ON DELETE CASCADE,
            attempt bigint NOT NULL,
            number bigint NOT NULL,
            started_at bigint NOT NULL,
            duration bigint NOT NULL,
            status bigint,
            failure text,
            PRIMARY KEY (delivery, attempt)
        );
        """

    /// `identity` tells this store from others. `probe` is what a check of the store writes to.
    private static let marks = """
        CREATE TABLE accounts (
            name text COLLATE "C" PRIMARY KEY,
            disabled_by bigint,
            reason text,
            refused_models text NOT NULL,
            learned_limit bigint,
            has_lookup bigint,
            updated_at bigint NOT NULL,
            has_unique_ids bigint,
            identity bigint,
            api text,
            was_reached bigint NOT NULL DEFAULT 0,
            trouble text,
            owner bigint NOT NULL DEFAULT current_setting('kling_gateway.replica')::bigint
        );
        CREATE TABLE unread (
            server text PRIMARY KEY,
            written_through bigint NOT NULL,
            tasks bytea NOT NULL,
            updated_at bigint NOT NULL
        );
        CREATE TABLE clock_mark (mark integer PRIMARY KEY CHECK (mark = 1), time bigint NOT NULL);
        CREATE TABLE master_key_mark (mark integer PRIMARY KEY CHECK (mark = 1), digest bytea NOT NULL);
        CREATE TABLE identity (identity uuid NOT NULL);
        INSERT INTO identity VALUES (gen_random_uuid());
        CREATE TABLE probe (probes bigint NOT NULL);
        INSERT INTO probe VALUES (0);
        """

    /// The processes that serve. Each raises its `beats` while it lives, and holds an advisory lock. Its number is in
    /// each task that it owns, and is never used again: without its row, a process can write nothing.
    private static let replicas = """
        CREATE TABLE replicas (
            number bigint GENERATED ALWAYS AS IDENTITY (MAXVALUE 2147483647) PRIMARY KEY,
            name text NOT NULL,
            started_at bigint NOT NULL,
            beats bigint NOT NULL DEFAULT 0,
            has_left boolean NOT NULL DEFAULT false
        ) WITH (fillfactor = 50);
        """

    /// The last transaction that each process has committed with its writer: its mark, by which it is found again if the
    /// connection is lost during the commit. It goes with the process's row in `replicas`.
    private static let commits = """
        CREATE TABLE commits (
            replica bigint PRIMARY KEY REFERENCES replicas ON DELETE CASCADE,
            transaction xid8 NOT NULL
        ) WITH (fillfactor = 50);
        """

    /// What keys and tenants may still request. Times are those of the server's clock, in nanoseconds.
    private static let rates = """
        CREATE TABLE rates (
            name text COLLATE "C" PRIMARY KEY,
            parts bigint NOT NULL,
            filled_at bigint NOT NULL
        ) WITH (fillfactor = 50);
        """
}
