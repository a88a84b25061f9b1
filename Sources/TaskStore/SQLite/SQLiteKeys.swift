/// The keys and tenants in SQLite.
struct SQLiteKeys: KeyStore {
    let pool: SQLitePool

    func insert(_ key: NewKey) async throws(StoreError) {
        try await pool.write { connection throws(StoreError) in
            let insert = try connection.statement(.insertKey)
            insert.bind(1, key.id)
            insert.bind(2, key.tenant)
            insert.bind(3, key.bearerHash)
            insert.bind(4, key.accessKey)
            insert.bind(5, key.sealedSecretKey)
            insert.bind(6, key.createdAt)
            try insert.execute()
        }
    }

    func all() async throws(StoreError) -> [KeyRecord] {
        try await pool.read { connection throws(StoreError) in
            try connection.statement(.keys).rows { row in
                KeyRecord(
                    key: NewKey(
                        id: row.text(0), tenant: row.text(1), bearerHash: row.bytes(2), accessKey: row.text(3),
                        sealedSecretKey: row.bytes(4), createdAt: row.integer(5)),
                    revokedAt: row.optionalInteger(6))
            }
        }
    }

    func revoke(_ id: String, at time: Int64) async throws(StoreError) {
        try await pool.write { connection throws(StoreError) in
            let select = try connection.statement(.keyByID)
            select.bind(1, id)
            guard try select.first({ $0.integer(0) }) != nil else { throw StoreError(.notFound, "no key \(id)") }
            let update = try connection.statement(.revokeKey)
            update.bind(1, id)
            update.bind(2, time)
            try update.execute()
        }
    }

    func version() async throws(StoreError) -> Int64 {
        try await pool.read { connection throws(StoreError) in
            try connection.statement(.keyVersion).first { $0.integer(0) } ?? 0
        }
    }

    func masterKeyMark() async throws(StoreError) -> [UInt8]? {
        try await pool.read { connection throws(StoreError) in
            try connection.statement(.masterKeyMark).first { $0.bytes(0) }
        }
    }

    func keepMasterKeyMark(_ mark: [UInt8]) async throws(StoreError) {
        try await pool.write { connection throws(StoreError) in
            let keep = try connection.statement(.keepMasterKeyMark)
            keep.bind(1, mark)
            try keep.execute()
        }
    }

    func tenant(orInsert tenant: TenantRecord) async throws(StoreError) -> TenantRecord {
        let known = try await pool.read { connection throws(StoreError) in try Self.tenant(tenant.name, connection) }
        if let known { return known }
        return try await pool.write { connection throws(StoreError) in
            let insert = try connection.statement(.insertTenant)
            insert.bind(1, tenant.name)
            insert.bind(2, tenant.sealedWebhookSecret)
            insert.bind(3, tenant.createdAt)
            try insert.execute()
            return try Self.tenant(tenant.name, connection) ?? tenant
        }
    }

    func rotateWebhookSecret(
        tenant name: String, sealed secret: [UInt8], previousValidUntil: Int64, at time: Int64
    ) async throws(StoreError) -> TenantRecord {
        try await pool.write { connection throws(StoreError) in
            let rotate = try connection.statement(.rotateTenant)
            rotate.bind(1, name)
            rotate.bind(2, secret)
            rotate.bind(3, time)
            rotate.bind(4, previousValidUntil)
            try rotate.execute()
            return try Self.tenant(name, connection)
                ?? TenantRecord(name: name, sealedWebhookSecret: secret, createdAt: time)
        }
    }

    private static func tenant(
        _ name: String, _ connection: SQLiteConnection
    ) throws(StoreError) -> TenantRecord? {
        let select = try connection.statement(.tenant)
        select.bind(1, name)
        return try select.first { row in
            TenantRecord(
                name: row.text(0), sealedWebhookSecret: row.bytes(1),
                previousSealedWebhookSecret: row.optionalBytes(2), previousValidUntil: row.optionalInteger(3),
                createdAt: row.integer(4))
        }
    }
}
