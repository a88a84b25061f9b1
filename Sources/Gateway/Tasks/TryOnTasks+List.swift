internal import Base
internal import KlingAPI
internal import TaskStore

/// List: a page from the store, its unfinished tasks refreshed by one call an account.
extension TryOnTasks {
    /// A page of a tenant's tasks, newest first.
    func list(_ page: ListParameters, tenant: String, _ note: ExchangeNote) async throws(GatewayError) -> [UInt8] {
        var records: [TaskRecord]
        do {
            records = try await store.tasks(tenant: tenant, page: page.page, size: page.size)
        } catch {
            throw GatewayError(error)
        }
        records = await refreshed(records, note)
        var writer = JSONWriter(capacity: records.count * 512 + 2)
        writer.array { tasks in
            for record in records { tasks.json(TaskView.json(record)) }
        }
        return Envelope.success(requestID: note.requestID, data: writer.bytes)
    }

    /// Records of one page as new as one list call an account makes them.
    func refreshed(_ page: [TaskRecord], _ note: ExchangeNote) async -> [TaskRecord] {
        var records = page
        let deadline = MonotonicTime.now + Self.listTime
        for account in due(records) where .now < deadline {
            let start = MonotonicTime.now
            records = await refreshed(records, from: account, within: deadline - start)
            note.waitedForKling(since: start)
        }
        return records
    }

    /// The accounts that must be asked, because the page has a task of theirs whose state is older than it may be.
    private func due(_ records: [TaskRecord]) -> [Account] {
        let now = MonotonicTime.now
        var names: Set<String> = []
        for record in records where !record.state.isFinal && record.upstreamID != nil {
            guard let account = account(of: record)?.name else { continue }
            let key = TaskCache.Key(tenant: record.tenant, id: record.publicID ?? "")
            if cache.entry(key)?.isDue(now: now, freshness: options.freshness) ?? true { names.insert(account) }
        }
        return names.compactMap(accounts.named).filter { $0.mayList(now: now, freshness: options.freshness) }
    }

    private func refreshed(
        _ known: [TaskRecord], from account: Account, within time: Duration
    ) async -> [TaskRecord] {
        guard let tasks = try? await caller.list(account, timeout: time).envelope?.tasks else { return known }
        var records = known
        let seen = Dictionary(tasks.compactMap { task in task.taskID.map { ($0, task) } }) { first, _ in first }
        for index in records.indices where !records[index].state.isFinal && self.account(of: records[index]) === account
        {
            guard let task = records[index].upstreamID.flatMap({ seen[$0] }),
                let observed = try? await observe(task, of: records[index])
            else { continue }
            records[index] = observed
            let key = TaskCache.Key(tenant: observed.tenant, id: observed.publicID ?? "")
            cache.entry(key)?.update(observed, now: .now)
        }
        return records
    }
}
