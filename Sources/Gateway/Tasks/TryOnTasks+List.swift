internal import Base
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// List: a page from the store, its unfinished tasks refreshed by one call an account.
extension TryOnTasks {
    /// A page of a tenant's tasks, newest first. Memory for long answers is taken before they are read, and each answer
    /// is let go of when it stands in the page.
    func list(_ page: ListParameters, for admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse.Body {
        var (records, lease) = try await admitted.page(of: page.size, fix: "Ask for a smaller pageSize.") {
            [tenant = admitted.tenant] limit throws(StoreError) in
            try await store.tasks(tenant: tenant, page: page.page, size: page.size, answersUpTo: limit)
        }
        records = await refreshed(records, admitted.note)
        let (head, tail) = Envelope.aroundArray(requestID: admitted.note.requestID)
        var array = SlicedArray(after: head, capacity: records.count * 512)
        records.reverse()
        while let record = records.popLast() { array.append(TaskView.json(record)) }
        return array.body(before: tail, holding: lease)
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
        guard let tasks = try? await caller.list(Destination(account), timeout: time).page?.tasks else { return known }
        var records = known
        let seen = Dictionary(tasks.compactMap { task in task.taskID.map { ($0, task) } }) { first, _ in first }
        for index in records.indices where !records[index].state.isFinal && self.account(of: records[index]) === account
        {
            guard let task = records[index].upstreamID.flatMap({ seen[$0] }),
                let observed = try? await observe(task, of: records[index])
            else { continue }
            records[index] = observed
            let key = TaskCache.Key(tenant: observed.tenant, id: observed.publicID ?? "")
            cache.update(key, observed, now: .now)
        }
        return records
    }
}
