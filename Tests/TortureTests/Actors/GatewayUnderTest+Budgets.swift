import Base
import TaskStore
import TestKit

/// Budgets and usage, set and read in the store as commands do.
extension GatewayUnderTest {
    /// Gives one tenant a budget.
    func setBudget() async throws {
        guard options.has(.budgets) else { return }
        let budget = Budget(.tasks, per: .total, limit: Int64(options.budget))
        let rules = TenantRules(name: Tenant.limited, timeZone: "America/St_Johns", budgets: [budget])
        try await withStore { try await $0.keys.keep(rules, at: WallClock.milliseconds) }
    }

    /// What tenants have used.
    func usage() async throws -> BudgetBook {
        try await withStore { store in
            var book = BudgetBook()
            let query = UsageQuery(days: Int(Int32.min)...Int(Int32.max), by: [.tenant])
            for row in try await store.usage.report(query, skipping: 0, limit: 1000) {
                book.usage[row.values[0]] = BudgetBook.Usage(
                    running: Int(row.running), succeeded: Int(row.succeeded), failed: Int(row.failed),
                    refused: Int(row.refused), units: Int(row.units))
            }
            return book
        }
    }

    private func withStore<Result>(_ body: (any TaskStore) async throws -> Result) async throws -> Result {
        let store = try await blocking { [databaseURL, database] in
            try databaseURL.map { try PostgresTaskStore.open(url: $0) } ?? SQLiteTaskStore.open(path: database)
        }
        let result: Result
        do {
            result = try await body(store)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
        return result
    }
}
