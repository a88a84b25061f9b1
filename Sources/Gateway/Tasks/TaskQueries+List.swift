internal import Base
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Lists: a page from the store, with its unfinished tasks refreshed by one list call per account.
extension TaskQueries {
    /// A page of a tenant's tasks, newest first. Memory for long answers is reserved before they are read, and each
    /// answer is released once it is part of the page.
    func list(_ page: ListParameters, for admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse.Body {
        var (records, lease) = try await admitted.page(of: page.size, fix: "Ask for a smaller pageSize.") {
            [store = ledger.store, tenant = admitted.tenant] limit throws(StoreError) in
            try await store.tasks(tenant: tenant, page: page.page, size: page.size, answersUpTo: limit)
        }
        records = await refreshed(records, admitted.note)
        let (head, tail) = Envelope.arrayFrame(requestID: admitted.note.requestID)
        var array = SlicedArray(after: head, capacity: records.count * 512)
        records.reverse()
        while let record = records.popLast() { array.append(TaskView.json(record)) }
        return array.body(before: tail, holding: lease)
    }

    /// The records of a page, refreshed by one list call per account.
    func refreshed(_ page: [TaskRecord], _ note: ExchangeNote) async -> [TaskRecord] {
        var records = page
        let deadline = MonotonicTime.now + AccountProbes.timeout
        for account in due(records) where .now < deadline {
            note.startWaiting()
            records = await refreshed(records, from: account, within: deadline - .now)
            note.stopWaiting()
        }
        return records
    }

    /// The accounts to ask, because the page has a task of theirs whose state is too old.
    private func due(_ records: [TaskRecord]) -> [Account] {
        let now = MonotonicTime.now
        var names: Set<String> = []
        for record in records where !record.state.isFinal && record.upstreamID != nil {
            guard let account = ledger.account(of: record)?.name else { continue }
            let key = TaskCache.Key(tenant: record.tenant, id: record.publicID ?? "")
            if ledger.cache.entry(key)?.isDue(now: now, freshness: freshness) ?? true { names.insert(account) }
        }
        return names.compactMap(ledger.accounts.named).filter { $0.mayList(now: now, freshness: freshness) }
    }

    private func refreshed(
        _ known: [TaskRecord], from account: Account, within time: Duration
    ) async -> [TaskRecord] {
        guard let tasks = try? await caller.list(Destination(account), timeout: time).page?.tasks else { return known }
        var records = known
        let seen = Dictionary(tasks.compactMap { task in task.taskID.map { ($0, task) } }) { first, _ in first }
        for index in records.indices
        where !records[index].state.isFinal && ledger.account(of: records[index]) === account {
            guard let task = records[index].upstreamID.flatMap({ seen[$0] }),
                let observed = try? await ledger.observe(task, of: records[index])
            else { continue }
            records[index] = observed
            let key = TaskCache.Key(tenant: observed.tenant, id: observed.publicID ?? "")
            ledger.cache.update(key, observed, now: .now)
        }
        return records
    }
}
