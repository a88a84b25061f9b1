/// The rules of tenants in an SQL database.
extension SQLKeys {
    func tenantRules() async throws(StoreError) -> [TenantRules] {
        try await pool.readAtOnce { connection throws(StoreError) in
            var budgets: [String: [Budget]] = [:]
            for (tenant, budget) in try connection.statement(.budgets).rows({ ($0.text(0), Budget(row: $0)) }) {
                budgets[tenant, default: []].append(budget)
            }
            return try connection.statement(.tenantRules).rows { row in
                let name = row.text(0)
                return TenantRules(
                    name: name, access: AccessRules(row: row, from: 2), timeZone: row.text(1),
                    budgets: budgets[name] ?? [])
            }
        }
    }

    func keep(_ rules: TenantRules, at time: Int64) async throws(StoreError) {
        try await pool.write(.committed) { connection throws(StoreError) in
            try connection.atomically { () throws(StoreError) in
                try Self.replaceBudgets(of: rules, connection)
                let keep = try connection.statement(.keepTenantRules)
                keep.bind(1, rules.name)
                keep.bind(2, rules.timeZone)
                keep.bind(3, rules.access)
                keep.bind(9, time)
                try keep.execute()
            }
        }
    }

    func tenantNames() async throws(StoreError) -> [String] {
        try await pool.read { connection throws(StoreError) in
            try connection.statement(.tenantNames).rows { $0.text(0) }
        }
    }

    private static func replaceBudgets(of rules: TenantRules, _ connection: Pool.Connection) throws(StoreError) {
        let drop = try connection.statement(.dropBudgets)
        drop.bind(1, rules.name)
        try drop.execute()
        let insert = try connection.statement(.insertBudget)
        for budget in rules.budgets {
            insert.bind(1, rules.name)
            insert.bind(2, budget.metric.rawValue)
            insert.bind(3, budget.period.rawValue)
            insert.bind(4, budget.limit)
            insert.bind(5, budget.warnAtPercent.map(Int64.init))
            insert.bind(6, budget.raise?.limit)
            insert.bind(7, budget.raise?.until)
            try insert.execute()
        }
        connection.budgets.forget(rules.name)
    }
}

extension AccessRules {
    /// Separates models, and addresses, which contain no line breaks.
    fileprivate static let separator = "\n"

    /// Reads six columns from `first` on.
    init(row: some StoreStatement, from first: Int32) {
        self.init(
            requestsPerMinute: row.optionalInteger(first).map(Int.init),
            concurrency: row.optionalInteger(first + 1).map(Int.init), models: row.lines(first + 2),
            addresses: row.lines(first + 3), expiresAt: row.optionalInteger(first + 4),
            isDisabled: row.integer(first + 5) != 0)
    }
}

extension StoreStatement {
    /// Binds six parameters from `first` on.
    func bind(_ first: Int32, _ rules: AccessRules) {
        bind(first, rules.requestsPerMinute.map(Int64.init))
        bind(first + 1, rules.concurrency.map(Int64.init))
        bind(first + 2, rules.models.joined(separator: AccessRules.separator))
        bind(first + 3, rules.addresses.joined(separator: AccessRules.separator))
        bind(first + 4, rules.expiresAt)
        bind(first + 5, rules.isDisabled ? 1 : 0)
    }

    fileprivate func lines(_ column: Int32) -> [String] {
        text(column).split(separator: AccessRules.separator).map(String.init)
    }
}
