/// The keys and tenants in an SQL database.
struct SQLKeys<Pool: StorePool>: KeyStore {
    let pool: Pool

    func insert(_ key: NewKey) async throws(StoreError) {
        try await pool.write(.committed) { connection throws(StoreError) in
            let insert = try connection.statement(.insertKey)
            insert.bind(1, key.id)
            insert.bind(2, key.tenant)
            insert.bind(3, key.secrets.bearerHash)
            insert.bind(4, key.secrets.accessKey)
            insert.bind(5, key.secrets.sealedSecretKey)
            insert.bind(6, key.createdAt)
            insert.bind(7, key.name)
            insert.bind(8, key.secrets.prefix)
            insert.bind(9, key.rules)
            try insert.execute()
        }
    }

    func all() async throws(StoreError) -> [KeyRecord] {
        try await pool.readAtOnce { connection throws(StoreError) in
            var previous: [String: [PreviousSecrets]] = [:]
            for (key, secrets) in try connection.statement(.previousSecrets).rows(PreviousSecrets.entry(row:)) {
                previous[key, default: []].append(secrets)
            }
            return try connection.statement(.keys).rows { row in
                let id = row.text(0)
                return KeyRecord(
                    key: NewKey(
                        id: id, tenant: row.text(1), name: row.text(6),
                        secrets: KeySecrets(
                            bearerHash: row.bytes(2), prefix: row.text(7), accessKey: row.text(3),
                            sealedSecretKey: row.bytes(4)),
                        rules: AccessRules(row: row, from: 8), createdAt: row.integer(5)),
                    revokedAt: row.optionalInteger(14), lastUsedAt: row.optionalInteger(15),
                    previous: previous[id] ?? [])
            }
        }
    }

    func change(_ id: String, name: String, rules: AccessRules) async throws(StoreError) {
        try await pool.write(.committed) { connection throws(StoreError) in
            _ = try Self.secrets(of: id, connection)
            let update = try connection.statement(.changeKey)
            update.bind(1, id)
            update.bind(2, name)
            update.bind(3, rules)
            try update.execute()
        }
    }

    func rotate(
        _ id: String, to secrets: KeySecrets, previousValidUntil: Int64, at time: Int64
    ) async throws(StoreError) {
        try await pool.write(.committed) { connection throws(StoreError) in
            let old = try Self.secrets(of: id, connection)
            if old.isRevoked { throw StoreError(.stale, "the key \(id) is revoked") }
            try connection.atomically { () throws(StoreError) in
                try Self.endPreviousSecrets(of: id, before: time, connection)
                if previousValidUntil > time {
                    try Self.insert(PreviousSecrets(old.secrets, validUntil: previousValidUntil), of: id, connection)
                }
                let update = try connection.statement(.replaceSecrets)
                update.bind(1, id)
                update.bind(2, secrets.bearerHash)
                update.bind(3, secrets.accessKey)
                update.bind(4, secrets.sealedSecretKey)
                update.bind(5, secrets.prefix)
                try update.execute()
            }
        }
    }

    func noteUses(_ uses: [String: Int64]) async throws(StoreError) {
        if uses.isEmpty { return }
        try await pool.write(.written) { connection throws(StoreError) in
            let note = try connection.statement(.noteKeyUse)
            for (id, time) in uses {
                note.bind(1, id)
                note.bind(2, time)
                try note.execute()
            }
        }
    }

    func revoke(_ id: String, at time: Int64) async throws(StoreError) {
        try await pool.write(.committed) { connection throws(StoreError) in
            _ = try Self.secrets(of: id, connection)
            try connection.atomically { () throws(StoreError) in
                let update = try connection.statement(.revokeKey)
                update.bind(1, id)
                update.bind(2, time)
                try update.execute()
                try Self.endPreviousSecrets(of: id, before: .max, connection)
            }
        }
    }

    func version() async throws(StoreError) -> Int64 {
        try await pool.readAtOnce { connection throws(StoreError) in
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
        _ name: String, _ connection: Pool.Connection
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

    // MARK: Secrets

    private static func secrets(
        of id: String, _ connection: Pool.Connection
    ) throws(StoreError) -> (secrets: KeySecrets, isRevoked: Bool) {
        let select = try connection.statement(.keyByID)
        select.bind(1, id)
        let found = try select.first { row in
            let secrets = KeySecrets(
                bearerHash: row.bytes(0), prefix: row.text(1), accessKey: row.text(2), sealedSecretKey: row.bytes(3))
            return (secrets: secrets, isRevoked: !row.isNull(4))
        }
        guard let found else { throw StoreError(.notFound, "no key \(id)") }
        return found
    }

    private static func insert(
        _ previous: PreviousSecrets, of id: String, _ connection: Pool.Connection
    ) throws(StoreError) {
        let insert = try connection.statement(.insertPreviousSecrets)
        insert.bind(1, previous.secrets.bearerHash)
        insert.bind(2, id)
        insert.bind(3, previous.secrets.prefix)
        insert.bind(4, previous.secrets.accessKey)
        insert.bind(5, previous.secrets.sealedSecretKey)
        insert.bind(6, previous.validUntil)
        try insert.execute()
    }

    private static func endPreviousSecrets(
        of id: String, before time: Int64, _ connection: Pool.Connection
    ) throws(StoreError) {
        let delete = try connection.statement(.endPreviousSecrets)
        delete.bind(1, id)
        delete.bind(2, time)
        try delete.execute()
    }
}

extension PreviousSecrets {
    fileprivate static func entry(row: some StoreStatement) -> (key: String, secrets: PreviousSecrets) {
        let secrets = KeySecrets(
            bearerHash: row.bytes(0), prefix: row.text(2), accessKey: row.text(3), sealedSecretKey: row.bytes(4))
        return (row.text(1), PreviousSecrets(secrets, validUntil: row.integer(5)))
    }
}
