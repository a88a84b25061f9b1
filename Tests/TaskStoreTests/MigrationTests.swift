import GRDB
import TaskStore
import TestKit
import Testing

/// A file of the first release, opened by this one. Its migrations are copied here as they were released.
@Suite(.onEventLoop) struct MigrationTests {
    private let folder = StoreFolder()
    private let id = TaskID("01ARZ3NDEKTSV4RRFFQ69G5FAV")

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

    /// One accepted task, one intent, one key and one tenant.
    private static let rows = """
        INSERT INTO tasks (id, tenant, account, external_task_id, model, callback_url, created_at, state, flags, number,
            public_id, upstream_id, status_word, answer, released, updated_at, finished_at) VALUES
            (x'01563E3AB5D3D6764C61EFB99302BD5B', 'shop', 'main', 'order-1', 'm', 'https://client.example/hook', 1, 2, 0,
            1, 'kling-1', 'kling-1', 'submitted', x'7B7D', 0, 2, NULL),
            (x'01563E3AB5D3D6764C61EFB99302BD5C', 'shop', 'main', NULL, 'm', NULL, 3, 0, 0, NULL, NULL, NULL, '', NULL, 0,
            3, NULL);
        INSERT INTO keys (id, tenant, bearer_hash, access_key, sealed_secret_key, created_at)
            VALUES ('key_1', 'shop', x'01', 'ak', x'02', 1);
        INSERT INTO tenants VALUES ('shop', x'03', 1);
        """

    private func makeOldFile() throws {
        var migrator = DatabaseMigrator()
        for (name, sql) in [("tasks", Self.tasks), ("keys", Self.keys)] {
            migrator.registerMigration(name) { try $0.execute(sql: sql) }
        }
        let database = try DatabaseQueue(path: folder.database)
        try migrator.migrate(database)
        try database.write { try $0.execute(sql: Self.rows) }
        try database.close()
    }

    @Test func `the tasks, keys and tenants of an old file are kept and usable`() async throws {
        try makeOldFile()
        let store = try SQLiteTaskStore.open(path: folder.database, deliveries: Samples.deliveries)
        let id = try #require(id)
        let record = try #require(try await store.task(tenant: "shop", publicID: "kling-1"))
        #expect(record.id == id && record.account == "main" && record.externalTaskID == "order-1")
        #expect(record.keyID == nil && record.idempotencyKey == nil && record.payload == 0)
        #expect(record.answer == Array("{}".utf8) && record.number == 1)
        #expect(try await store.observe(id, Samples.seen(.succeed)).state == .succeed)
        #expect(try await store.outbox.dueDeliveries(at: 3_000, limit: 9).map(\.task) == [id])
        let intents = try await store.unfinished(after: nil, limit: 9)
        let intent = try #require(intents.first)
        #expect(intents.count == 1 && intent.tenant == "shop" && intent.createdAt == 3)
        #expect(try await store.accept(intent.id, Samples.acceptance("kling-2")).number == 2)
        #expect(try await store.keys.all().map(\.key.id) == ["key_1"])
        let tenant = TenantRecord(name: "shop", sealedWebhookSecret: [3], createdAt: 1)
        #expect(try await store.keys.tenant(orInsert: tenant) == tenant)
        await store.close()
    }

    @Test func `an account that an older version has learned about counts as reached`() async throws {
        let store = try SQLiteTaskStore.open(path: folder.database)
        try await store.accounts.keep(AccountStateRecord(name: "found", hasLookup: true, updatedAt: 1))
        try await store.accounts.keep(AccountStateRecord(name: "full", learnedLimit: 3, updatedAt: 1))
        try await store.accounts.keep(AccountStateRecord(name: "refused", disabledBy: 1002, updatedAt: 1))
        await store.close()
        let database = try DatabaseQueue(path: folder.database)
        try await database.write { connection in
            try connection.execute(
                sql: """
                    ALTER TABLE accounts DROP COLUMN was_reached;
                    ALTER TABLE accounts DROP COLUMN trouble;
                    DROP TABLE master_key_mark;
                    DROP TABLE redo_mark;
                    DELETE FROM grdb_migrations
                    WHERE identifier IN ('account contacts', 'master key mark', 'redo mark');
                    """)
        }
        try database.close()
        let migrated = try SQLiteTaskStore.open(path: folder.database)
        #expect(try await migrated.accounts.states().filter(\.wasReached).map(\.name) == ["found", "full"])
        await migrated.close()
    }

    @Test func `a file is migrated once`() async throws {
        try makeOldFile()
        for _ in 0..<2 { await (try SQLiteTaskStore.open(path: folder.database)).close() }
        #expect(try await steps() == Self.all)
    }

    private static let all = [
        "tasks", "keys", "task life", "idempotency", "outbox", "accounts", "jobs", "identities", "resends", "clock",
        "outbox lanes", "dialects", "account contacts", "master key mark", "redo mark", "rules",
        "usage", "audit",
    ]

    private func steps() async throws -> [String] {
        try await DatabaseQueue(path: folder.database).read { database in
            try String.fetchAll(database, sql: "SELECT identifier FROM grdb_migrations ORDER BY rowid")
        }
    }

    @Test func `an older store that a gateway serves from is left as it is`() async throws {
        try makeOldFile()
        let lock = try ServeLock(store: folder.database)
        var options = SQLiteTaskStore.Options()
        options.lockTimeout = .zero
        let error = try #require(throws: StoreError.self) {
            try SQLiteTaskStore.open(path: folder.database, options: options)
        }
        #expect(error.code == .alreadyServed && error.detail.contains(folder.database))
        #expect(error.detail.contains("stop that gateway"))
        #expect(try await steps() == ["tasks", "keys"])
        // The serving process migrates it. Then others may open it as well.
        let served = try SQLiteTaskStore.open(path: folder.database, serving: lock)
        await (try SQLiteTaskStore.open(path: folder.database, options: options)).close()
        await served.close()
        #expect(try await steps().last == Self.all.last)
    }

    @Test func `an older store that no gateway serves from is migrated and can then be served`()
        async throws
    {
        try makeOldFile()
        let store = try SQLiteTaskStore.open(path: folder.database)
        #expect(try await steps().last == Self.all.last)
        withExtendedLifetime(try ServeLock(store: folder.database)) {}
        await store.close()
    }
}
