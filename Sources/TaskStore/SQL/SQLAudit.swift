/// The audit log in an SQL database.
struct SQLAudit<Pool: StorePool>: AuditStore {
    let pool: Pool

    func entries(before number: Int64?, target: String?, limit: Int) async throws(StoreError) -> [AuditRecord] {
        try await pool.read { connection throws(StoreError) in
            let select = try connection.statement(target == nil ? .audit : .auditOf)
            select.bind(1, number ?? .max)
            select.bind(2, limit)
            if let target { select.bind(3, target) }
            return try select.rows(AuditRecord.init(row:))
        }
    }
}

extension AuditRecord {
    fileprivate init(row: some StoreStatement) {
        self.init(
            number: row.integer(0),
            entry: AuditEntry(
                who: row.text(2), from: row.text(3), action: row.text(4), target: row.text(5),
                before: row.optionalText(6), after: row.optionalText(7), at: row.integer(1)))
    }
}

extension StoreConnection {
    /// Adds an entry to the audit log.
    func append(_ entry: AuditEntry) throws(StoreError) {
        let insert = try statement(.insertAudit)
        insert.bind(1, entry.at)
        insert.bind(2, entry.who)
        insert.bind(3, entry.from)
        insert.bind(4, entry.action)
        insert.bind(5, entry.target)
        insert.bind(6, entry.before)
        insert.bind(7, entry.after)
        try insert.execute()
    }
}
