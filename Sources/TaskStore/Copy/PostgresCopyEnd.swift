internal import PostgreSQL

/// A copy's end in a PostgreSQL database. A copy is made in a schema of its own, which is renamed at the end.
final class PostgresCopyEnd: CopyEnd {
    private static let copying = "kling_gateway_copying"

    private let server: PostgresServer
    private let connection: PostgresConnection
    private var statements: [String: PostgresStatement] = [:]
    /// A session that keeps gateways from joining while their store is read.
    private let guardSession: PostgresSession?

    /// - Throws: `notFound`, `alreadyServed`.
    init(reading url: String) throws(StoreError) {
        server = PostgresServer(url: url, options: PostgresTaskStore.Options())
        do throws(PostgresError) {
            let session = try server.connect("copy")
            guard try session.execute("SELECT to_regclass('kling_gateway.tasks') IS NOT NULL") == "t" else {
                throw PostgresError("there is no store in this database", sqlState: Self.noStore)
            }
            let guardian = try server.connect("copy")
            try guardian.execute("BEGIN; LOCK TABLE replicas IN SHARE MODE")
            let serving = try guardian.execute("SELECT count(*)::text FROM replicas WHERE NOT has_left") ?? ""
            guard serving == "0" else {
                throw PostgresError(
                    "\(serving) gateways serve from this store, or did not stop cleanly: stop them, or start and stop one",
                    sqlState: Self.served)
            }
            try session.startPipeline()
            connection = PostgresConnection(session)
            guardSession = guardian
        } catch {
            throw Self.storeError(error)
        }
    }

    /// - Throws: `alreadyExists`.
    init(creating url: String) throws(StoreError) {
        server = PostgresServer(url: url, options: PostgresTaskStore.Options(), schema: Self.copying)
        do throws(PostgresError) {
            let session = try server.connect("copy")
            guard try session.execute("SELECT to_regnamespace('kling_gateway') IS NULL") == "t" else {
                throw PostgresError("there is a store in this database already", sqlState: Self.isStore)
            }
            try server.makeDurable(session)
            try PostgresSchema.migrate(session)
            try session.startPipeline()
            connection = PostgresConnection(session)
            guardSession = nil
        } catch {
            throw Self.storeError(error)
        }
    }

    func rows(of table: CopiedTable, after key: [CopiedValue]?, limit: Int) throws(StoreError) -> [[CopiedValue]] {
        let rows = try tables.rows(of: table, after: key, limit: limit)
        try connection.endReads()
        return rows
    }

    func lastKey(of table: CopiedTable) throws(StoreError) -> [CopiedValue]? {
        let key = try tables.lastKey(of: table)
        try connection.endReads()
        return key
    }

    func insert(_ rows: [[CopiedValue]], into table: CopiedTable) throws(StoreError) {
        do throws(StoreError) {
            try connection.begin()
            try tables.insert(rows, table.insert(overriding: "OVERRIDING SYSTEM VALUE "))
            try connection.endWrite(isKept: true)
            try connection.commit()
        } catch {
            try? connection.rollBack()
            throw StoreError(error.code, "\(table.name): \(error.detail)")
        }
    }

    func queued() throws(StoreError) -> [TaskID: Int] {
        let tasks = try tables.queued()
        try connection.endReads()
        return tasks
    }

    func bodies() throws(StoreError) -> (any BodyCopyEnd)? { try PostgresBodyCopyEnd(server) }

    /// Continues the numbers after those that were copied, and renames the schema. The unfinished tasks belong to nobody,
    /// so the first gateway that serves takes them.
    func publish() throws(StoreError) {
        do throws(PostgresError) {
            let session = try server.connect("copy")
            var steps = ["BEGIN"]
            for (table, column) in [
                ("tasks", "task"), ("jobs", "job"), ("idempotency_keys", "claim"), ("deliveries", "delivery"),
                ("keys", "key"), ("audit", "entry"),
            ] {
                steps.append(
                    """
                    SELECT setval(pg_get_serial_sequence('\(table)', '\(column)'), max(\(column))) FROM \(table)
                    HAVING max(\(column)) IS NOT NULL
                    """)
            }
            steps += [
                "UPDATE key_version SET version = version + 1",
                "ALTER SCHEMA \(Self.copying) RENAME TO kling_gateway", "COMMIT",
            ]
            for step in steps { try session.execute(step) }
            try session.execute("ANALYZE")
        } catch {
            throw StoreError(error)
        }
    }

    func close() {
        _ = try? guardSession?.execute("ROLLBACK")
        statements = [:]
    }

    private var tables: CopyRows<PostgresConnection> {
        CopyRows { [self] sql in
            if let known = statements[sql] { return known }
            let made = connection.statement(sql: sql, named: "copy\(statements.count)")
            statements[sql] = made
            return made
        }
    }

    private static let (noStore, served, isStore) = ("KG002", "KG003", "KG004")

    private static func storeError(_ error: PostgresError) -> StoreError {
        switch error.sqlState {
        case noStore: StoreError(.notFound, error.message)
        case served: StoreError(.alreadyServed, error.message)
        case isStore: StoreError(.alreadyExists, error.message)
        default: StoreError(error)
        }
    }
}
