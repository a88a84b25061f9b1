internal import PostgreSQL

/// Reading ahead: what all writes of a transaction need is read in two round trips, and the locks are taken in the same
/// order by every process.
extension PostgresConnection {
    /// Begins a transaction for writes about these subjects.
    func begin(_ subjects: [WriteSubject]) throws(StoreError) {
        let ids = Set(subjects.compactMap(\.task))
        let tenants = Set(subjects.compactMap(\.tenant))
        var locks = Set(subjects.flatMap(\.locks))
        let known = intents.take(ids)
        let unknown = ids.subtracting(known.map(\.task.id))
        let (sortedIDs, sortedTenants) = (unknown.sorted(), tenants.sorted())
        let (task, budgetsOf) = (statement(.taskToChange), statement(.budgetsOf))
        let results = try begin(
            reading: sortedIDs.map { task.run(with: $0) } + sortedTenants.map { budgetsOf.run(with: $0) })
        for intent in known {
            recent.keep(intent.task, row: intent.row)
            intents.check(intent)
        }
        var owners = Set(known.map(\.task.tenant))  // of tasks that exist
        for result in results.prefix(unknown.count) {
            task.each(of: result) { row in
                let record = TaskRecord(row: row)
                recent.keep(record, row: row.integer(22))
                return owners.insert(record.tenant).inserted || true
            }
        }
        for (tenant, result) in zip(sortedTenants, results.dropFirst(unknown.count)) {
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
        try readLastNumbers(of: owners.sorted(), rivalsOf: subjects.flatMap(\.rivals))
        pipeline.beginWrite()
    }

    private func readLastNumbers(of tenants: [String], rivalsOf tasks: [NewTask]) throws(StoreError) {
        if tenants.isEmpty, tasks.isEmpty { return }
        let (last, rivals) = (statement(.lastNumber), statement(.rivals))
        let results = try results(of: tenants.map { last.run(with: $0) } + tasks.map { rivals.run(with: $0) })
        for (tenant, result) in zip(tenants, results) {
            recent.keep(lastNumber: result.count > 0 ? result.integer(0, 0) : 0, tenant: tenant)
        }
        for (task, result) in zip(tasks, results.dropFirst(tenants.count)) where result.integer(0, 0) > 0 {
            transaction.repeated.insert(task.id)
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

    fileprivate func run(with task: NewTask) -> PostgresRun {
        bind(1, task.tenant)
        bind(2, task.content)
        bind(3, task.shared.rivals?.since ?? 0)
        bind(4, task.shared.rivals?.seenThrough ?? 0)
        return run
    }
}
