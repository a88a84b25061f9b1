/// Usage in an SQL database.
struct SQLUsage<Pool: StorePool>: UsageStore {
    let pool: Pool

    func budgets(of tenant: String, on day: Int) async throws(StoreError) -> [BudgetUse] {
        // The books are the writer's. Nothing is written, so nothing needs a sync.
        try await pool.write(.written) { connection throws(StoreError) in
            try connection.budgets.uses(of: tenant, on: day)
        }
    }

    func report(
        _ query: UsageQuery, skipping skipped: Int, limit: Int
    ) async throws(StoreError) -> [UsageRow] {
        try await pool.read { connection throws(StoreError) in
            try connection.usage.report(query, skipping: skipped, limit: limit)
        }
    }
}
