internal import PostgreSQL

/// Reading ahead: what all writes of a transaction need is read in two round trips, and the locks are taken in the same
/// order by every process.
extension PostgresConnection {
    /// Begins a transaction for writes about these subjects.
    func begin(_ subjects: [WriteSubject]) throws(StoreError) {
        let ids = Set(subjects.compactMap(\.task))
        let tenants = Set(subjects.compactMap(\.tenant))
        var locks = Set(subjects.flatMap(\.locks))
        let (sortedIDs, sortedTenants) = (ids.sorted(), tenants.sorted())
        let (task, budgetsOf) = (statement(.taskToChange), statement(.budgetsOf))
        let results = try begin(
            reading: sortedIDs.map { task.run(with: $0) } + sortedTenants.map { budgetsOf.run(with: $0) })
        var owners: Set<String> = []  // of tasks that exist
        for result in results.prefix(ids.count) {
            task.each(of: result) { row in
                let record = TaskRecord(row: row)
                recent.keep(record, row: row.integer(22))
                return owners.insert(record.tenant).inserted || true
            }
        }
        for (tenant, result) in zip(sortedTenants, results.dropFirst(ids.count)) {
            var found: [Budget] = []
            budgetsOf.each(of: result) { row in
                found.append(Budget(row: row))
                return true
            }
            budgets.keep(found, of: tenant)
            if !found.isEmpty { locks.insert(.tenant(tenant)) }
        }
        locks.formUnion(owners.map { .tenant($0) })
        for one in locks.sorted(by: { $0.name < $1.name }) { try lock(one) }
        try readLastNumbers(of: owners.sorted())
        endReadAhead()
    }

    private func readLastNumbers(of tenants: [String]) throws(StoreError) {
        if tenants.isEmpty { return }
        let last = statement(.lastNumber)
        for (tenant, result) in zip(tenants, try results(of: tenants.map { last.run(with: $0) })) {
            recent.keep(lastNumber: result.count > 0 ? result.integer(0, 0) : 0, tenant: tenant)
        }
    }
}

extension PostgresStatement {
    fileprivate func run(with id: TaskID) -> PostgresRun {
        bind(1, id)
        return run
    }

    fileprivate func run(with text: String) -> PostgresRun {
        bind(1, text)
        return run
    }
}
