internal import PostgreSQL

/// Reading ahead: what all writes of a transaction need is read in two round trips, and the locks are taken in the same
/// order by every process.
extension PostgresConnection {
    func readAhead(_ subjects: [WriteSubject]) throws(StoreError) {
        var (ids, tenants): (Set<TaskID>, Set<String>) = ([], [])
        for subject in subjects {
            switch subject {
            case .task(let id): ids.insert(id)
            case .tenant(let name): tenants.insert(name)
            case .other: break
            }
        }
        if ids.isEmpty, tenants.isEmpty { return }
        let (sortedIDs, sortedTenants) = (ids.sorted(), tenants.sorted())
        let (task, budgetsOf) = (statement(.taskToChange), statement(.budgetsOf))
        let results = try results(
            of: sortedIDs.map { task.run(with: $0) } + sortedTenants.map { budgetsOf.run(with: $0) })
        var owners: Set<String> = []
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
            if !found.isEmpty { owners.insert(tenant) }
        }
        try lock(owners.sorted())
    }

    /// Locks tenants, and reads the last numbers of their tasks.
    private func lock(_ tenants: [String]) throws(StoreError) {
        if tenants.isEmpty { return }
        for tenant in tenants { try lock(tenant: tenant) }
        let last = statement(.lastNumber)
        for (tenant, result) in zip(tenants, try results(of: tenants.map { last.run(with: $0) })) {
            last.each(of: result) { row in
                recent.keep(lastNumber: row.integer(0), tenant: tenant)
                return false
            }
        }
        endReadAhead()
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
