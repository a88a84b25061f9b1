internal import GRDB
internal import Glibc

/// The tables, as named migrations from an empty file to the current schema.
///
/// A released migration is never edited: a later change is another migration.
enum Schema {
    /// Migrates the database to the current schema. A gateway of an older version that serves from it could not start
    /// again afterwards, so a caller that does not serve must take the lock for the migration. That keeps every other
    /// process from serving.
    /// - Parameters:
    ///   - lock: the right to serve; nil: it is taken for the duration of the migration.
    ///   - patience: how long to wait for another process that holds the lock, which may be migrating the schema too.
    /// - Throws: `newerSchema` if a newer version of the program has migrated the database; `alreadyServed`.
    static func migrate(_ queue: DatabaseQueue, serving lock: ServeLock?, patience: Duration) throws {
        let deadline = ContinuousClock.now + patience
        while try !isCurrent(queue) {
            do {
                let lock = try lock ?? ServeLock(store: queue.path)
                try withExtendedLifetime(lock) { try migrator.migrate(queue) }
            } catch let error as StoreError where error.code == .alreadyServed {
                guard ContinuousClock.now >= deadline else {
                    usleep(50_000)
                    continue
                }
                throw StoreError(
                    .alreadyServed,
                    "a running kling-gateway of an older version serves from the store \(queue.path), which this version "
                        + "would change: stop that gateway, or use its own version's commands")
            }
        }
    }

    /// - Throws: `newerSchema` if a newer version of the program has migrated the database.
    static func refuseNewer(_ queue: DatabaseQueue) throws {
        if try queue.read(migrator.hasBeenSuperseded) {
            throw StoreError(
                .newerSchema,
                "the store \(queue.path) was written by a newer version of kling-gateway: run that version or a later one"
            )
        }
    }

    private static func isCurrent(_ queue: DatabaseQueue) throws -> Bool {
        try refuseNewer(queue)
        return try queue.read(migrator.hasCompletedMigrations)
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        for (name, sql) in steps { migrator.registerMigration(name) { try $0.execute(sql: sql) } }
        return migrator
    }

    private static let steps = [
        ("tasks", tasks), ("keys", keys), ("task life", taskLife), ("idempotency", idempotency), ("outbox", outbox),
        ("accounts", accounts), ("jobs", jobs), ("identities", identities), ("resends", resends),
        ("clock", clock), ("outbox lanes", outboxLanes), ("dialects", dialects),
        ("account contacts", accountContacts), ("master key mark", masterKeyMark),
        ("redo mark", redoMark), ("rules", rules), ("usage", usage), ("audit", audit),
    ]

    /// Each index contains only the rows that are looked up through it, so that most writes touch few of them.
    private static let tasks = """
        CREATE TABLE tasks (
            task INTEGER PRIMARY KEY,
            id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
            tenant TEXT NOT NULL,
            account TEXT NOT NULL,
            external_task_id TEXT,
            model TEXT NOT NULL,
            callback_url TEXT,
            created_at INTEGER NOT NULL,
            state INTEGER NOT NULL,
            flags INTEGER NOT NULL,
            number INTEGER,
            public_id TEXT,
            upstream_id TEXT,
            status_word TEXT NOT NULL,
            answer BLOB,
            released INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            finished_at INTEGER
        ) STRICT;
        CREATE UNIQUE INDEX tasks_claims ON tasks (tenant, external_task_id)
            WHERE external_task_id IS NOT NULL AND released = 0;
        CREATE UNIQUE INDEX tasks_numbers ON tasks (tenant, number) WHERE number IS NOT NULL;
        CREATE INDEX tasks_public_ids ON tasks (public_id, tenant) WHERE public_id IS NOT NULL;
        CREATE INDEX tasks_upstream_ids ON tasks (upstream_id) WHERE upstream_id <> public_id;
        CREATE INDEX tasks_unfinished ON tasks (id) WHERE finished_at IS NULL;
        """

    private static let keys = """
        CREATE TABLE tenants (
            name TEXT PRIMARY KEY,
            sealed_webhook_secret BLOB NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE keys (
            key INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            tenant TEXT NOT NULL,
            bearer_hash BLOB NOT NULL UNIQUE,
            access_key TEXT NOT NULL UNIQUE,
            sealed_secret_key BLOB NOT NULL,
            created_at INTEGER NOT NULL,
            revoked_at INTEGER
        ) STRICT;
        CREATE TABLE key_version (version INTEGER NOT NULL) STRICT;
        INSERT INTO key_version VALUES (0);
        CREATE TRIGGER keys_inserted AFTER INSERT ON keys BEGIN UPDATE key_version SET version = version + 1; END;
        CREATE TRIGGER keys_updated AFTER UPDATE ON keys BEGIN UPDATE key_version SET version = version + 1; END;
        CREATE TRIGGER keys_deleted AFTER DELETE ON keys BEGIN UPDATE key_version SET version = version + 1; END;
        """

    /// An account of '' means that the task has none.
    private static let taskLife = """
        ALTER TABLE tasks ADD COLUMN key_id TEXT;
        ALTER TABLE tasks ADD COLUMN idempotency_key TEXT;
        ALTER TABLE tasks ADD COLUMN payload INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE tenants ADD COLUMN previous_sealed_webhook_secret BLOB;
        ALTER TABLE tenants ADD COLUMN previous_valid_until INTEGER;
        CREATE INDEX tasks_released ON tasks (tenant, external_task_id) WHERE released = 1 AND public_id IS NOT NULL;
        """

    private static let idempotency = """
        CREATE TABLE idempotency_keys (
            claim INTEGER PRIMARY KEY,
            tenant TEXT NOT NULL,
            key TEXT NOT NULL,
            fingerprint BLOB NOT NULL,
            task BLOB NOT NULL CHECK (length(task) = 16),
            created_at INTEGER NOT NULL,
            status INTEGER,
            body BLOB,
            UNIQUE (tenant, key)
        ) STRICT;
        """

    /// While `leased` is 1, an attempt is in flight, and `next_attempt_at` is when its lease ends.
    private static let outbox = """
        CREATE TABLE deliveries (
            delivery INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            task BLOB NOT NULL CHECK (length(task) = 16),
            tenant TEXT NOT NULL,
            last INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            state INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            leased INTEGER NOT NULL,
            next_attempt_at INTEGER,
            finished_at INTEGER,
            url TEXT NOT NULL,
            body BLOB NOT NULL,
            CHECK ((state = 0) = (next_attempt_at IS NOT NULL))
        ) STRICT;
        CREATE INDEX deliveries_due ON deliveries (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
        CREATE INDEX deliveries_tasks ON deliveries (task);
        CREATE INDEX deliveries_finished ON deliveries (finished_at) WHERE finished_at IS NOT NULL;
        CREATE TABLE delivery_attempts (
            delivery INTEGER NOT NULL,
            attempt INTEGER NOT NULL,
            number INTEGER NOT NULL,
            started_at INTEGER NOT NULL,
            duration INTEGER NOT NULL,
            status INTEGER,
            failure TEXT,
            PRIMARY KEY (delivery, attempt)
        ) STRICT, WITHOUT ROWID;
        CREATE TRIGGER deliveries_deleted AFTER DELETE ON deliveries
            BEGIN DELETE FROM delivery_attempts WHERE delivery = old.delivery; END;
        """

    private static let accounts = """
        CREATE TABLE accounts (
            name TEXT PRIMARY KEY,
            disabled_by INTEGER,
            reason TEXT,
            refused_models TEXT NOT NULL,
            learned_limit INTEGER,
            has_lookup INTEGER,
            updated_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """

    /// Job numbers start in the range of other gateways' integer ids and are never reused. A task without a job is in
    /// none of the indexes.
    private static let jobs = """
        CREATE TABLE jobs (
            job INTEGER PRIMARY KEY AUTOINCREMENT,
            tenant TEXT NOT NULL,
            shape TEXT NOT NULL,
            request BLOB NOT NULL,
            callback_url TEXT,
            callback_ref TEXT,
            idempotency_key TEXT,
            fingerprint BLOB,
            account TEXT,
            created_at INTEGER NOT NULL
        ) STRICT;
        INSERT INTO sqlite_sequence (name, seq) VALUES ('jobs', 100000000);
        CREATE INDEX jobs_tenants ON jobs (tenant, shape, created_at);
        CREATE INDEX jobs_ages ON jobs (created_at);
        CREATE INDEX jobs_fingerprints ON jobs (tenant, fingerprint, created_at) WHERE fingerprint IS NOT NULL;
        ALTER TABLE tasks ADD COLUMN job INTEGER;
        ALTER TABLE tasks ADD COLUMN job_index INTEGER;
        CREATE UNIQUE INDEX tasks_jobs ON tasks (job, job_index) WHERE job IS NOT NULL;
        CREATE INDEX tasks_running_jobs ON tasks (tenant, job) WHERE job IS NOT NULL AND finished_at IS NULL;
        CREATE TRIGGER jobs_deleted AFTER DELETE ON jobs BEGIN DELETE FROM tasks WHERE job = old.job; END;
        """

    /// Which account a name stood for when something was learned about it, or when a task was sent to it.
    private static let identities = """
        ALTER TABLE accounts ADD COLUMN has_unique_ids INTEGER;
        ALTER TABLE accounts ADD COLUMN identity INTEGER;
        ALTER TABLE tasks ADD COLUMN account_identity INTEGER;
        """

    /// `content` is a digest of the content of a create without an `Idempotency-Key`. It is looked up in memory only,
    /// where each server keeps the creates whose answers were not read; `unread` stores the part of that which must
    /// survive the process.
    private static let resends = """
        ALTER TABLE tasks ADD COLUMN content BLOB;
        CREATE TABLE unread (
            server TEXT PRIMARY KEY,
            written_through INTEGER NOT NULL,
            tasks BLOB NOT NULL,
            updated_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """

    /// Claims are found by age through an index: their rows are in the order of time only while the clock never goes
    /// back.
    private static let clock = """
        CREATE TABLE clock_mark (mark INTEGER PRIMARY KEY CHECK (mark = 1), time INTEGER NOT NULL) STRICT;
        CREATE INDEX idempotency_ages ON idempotency_keys (created_at);
        """

    /// A lane is a tenant's deliveries to one `receiver`, the URL up to its path. `pause` is the delay with which
    /// `next_attempt_at` was set. Existing rows that were attempted get the maximum delay.
    private static let outboxLanes = """
        ALTER TABLE deliveries ADD COLUMN receiver TEXT NOT NULL DEFAULT '-';
        ALTER TABLE deliveries ADD COLUMN pause INTEGER NOT NULL DEFAULT 0;
        UPDATE deliveries SET pause = iif(attempts = 0, 0, 51840000), receiver = lower(substr(url, 1,
            instr(url, '://') + 1 + instr(substr(url, instr(url, '://') + 3) || '/', '/'))) WHERE url <> '';
        CREATE INDEX deliveries_lanes ON deliveries (tenant, receiver, next_attempt_at)
            WHERE next_attempt_at IS NOT NULL;
        """

    /// The API that a task was sent through, and that an account was found to speak; the shape in which a client is
    /// called back.
    private static let dialects = """
        ALTER TABLE tasks ADD COLUMN api TEXT;
        ALTER TABLE tasks ADD COLUMN shape TEXT;
        ALTER TABLE accounts ADD COLUMN api TEXT;
        """

    /// Whether an account was ever reached, and what was found to be wrong with it. An account about which a create's
    /// answer has taught something was reached.
    private static let accountContacts = """
        ALTER TABLE accounts ADD COLUMN was_reached INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE accounts ADD COLUMN trouble TEXT;
        UPDATE accounts SET was_reached = 1
            WHERE coalesce(learned_limit, has_lookup, has_unique_ids) IS NOT NULL OR api IS NOT NULL;
        """

    /// Tells commands whether they have the master key of the gateway that serves.
    private static let masterKeyMark = """
        CREATE TABLE master_key_mark (mark INTEGER PRIMARY KEY CHECK (mark = 1), digest BLOB NOT NULL) STRICT;
        """

    /// The last frame of the redo log that the tables contain. `identity` tells this store's log from another's.
    /// `commits` changes in each commit: one that changes nothing is not synced (findings/sqlite-unchanged-commit.sh).
    private static let redoMark = """
        CREATE TABLE redo_mark (
            mark INTEGER PRIMARY KEY CHECK (mark = 1),
            identity INTEGER NOT NULL,
            applied INTEGER NOT NULL,
            commits INTEGER NOT NULL
        ) STRICT;
        INSERT INTO redo_mark VALUES (1, random(), 0, 0);
        """
}
