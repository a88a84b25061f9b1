internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// Answers queries: finished tasks from memory or the store, unfinished ones as Kling reports them.
final class TaskQueries: Sendable {
    let ledger: TaskLedger
    let caller: KlingCaller
    private let attempts: CreateAttempts
    /// How old the reported state of an unfinished task may be.
    let freshness: Duration

    /// How long a query waits for Kling.
    static let timeout = Duration.seconds(3)

    init(_ ledger: TaskLedger, _ caller: KlingCaller, _ attempts: CreateAttempts, freshness: Duration) {
        (self.ledger, self.caller, self.attempts, self.freshness) = (ledger, caller, attempts, freshness)
    }

    /// An answer to a query.
    struct Found: Sendable {
        let body: [UInt8]
        /// How old it is, if Kling could not be asked.
        var staleness: Duration?
    }

    /// The task object of a tenant's finished task, if it was recently queried by its public id.
    func finished(_ publicID: String, tenant: String) -> [UInt8]? {
        ledger.cache.entry(TaskCache.Key(tenant: tenant, id: publicID))?.finishedJSON()
    }

    /// Finds a tenant's task by its public id, or by the client's own, and reports its state.
    func query(
        _ id: String, tenant: String, _ note: ExchangeNote
    ) async throws(GatewayError) -> Found {
        let entry = try await entry(TaskCache.Key(tenant: tenant, id: id))
        note.task = entry.record.id
        if let json = entry.finishedJSON() {
            return Found(body: Envelope.success(requestID: note.requestID, data: json))
        }
        note.startWaiting()
        let refreshed = await refreshed(entry)
        note.stopWaiting()
        let json = entry.finishedJSON() ?? TaskView.json(refreshed.record)
        guard let relay = refreshed.relay else {
            return Found(body: Envelope.success(requestID: note.requestID, data: json), staleness: refreshed.staleness)
        }
        return Found(body: relay.relayed(data: json))
    }

    // MARK: Entries

    /// The entry of a task, which is the same whatever id the client has used: it is kept under the public id.
    private func entry(_ key: TaskCache.Key) async throws(GatewayError) -> TaskEntry {
        if let known = ledger.cache.entry(key), known.record.state.isFinal || !isShared { return known }
        let record: TaskRecord?
        do {
            record = try await find(key)
        } catch {
            throw GatewayError(error)
        }
        guard let record else { throw ledger.openAtStart.hasAny(of: key.tenant) ? .lookUpsOpen : .unknownTask }
        return entry(of: record, record.publicID ?? record.id.description)
    }

    /// Whether other gateways change unfinished tasks too, so that only the store has what a client was told last.
    private var isShared: Bool { ledger.store.replicas?.hasSeenOthers(within: Self.sharing) ?? false }

    /// How long what was read may lag behind another gateway that has gone.
    private static let sharing = Duration.seconds(600)

    /// The entry of a record that was just read.
    func entry(of record: TaskRecord, _ publicID: String) -> TaskEntry {
        let key = TaskCache.Key(tenant: record.tenant, id: publicID)
        if let known = ledger.cache.entry(key) {
            known.learn(record)
            return known
        }
        let age = Duration.milliseconds(max(0, ledger.clock.now - record.updatedAt))
        return ledger.cache.insert(TaskEntry(record, age: age, now: .now), key)
    }

    /// Finds a task by its public id, by the client's own, or by the gateway's, which a client may have been told
    /// while the store could not record it.
    private func find(_ key: TaskCache.Key) async throws(StoreError) -> TaskRecord? {
        if let found = try await ledger.store.task(tenant: key.tenant, publicID: key.id), found.state != .refused {
            return try await ledger.publishID(of: found)
        }
        guard let id = TaskID(key.id), let record = try await ledger.store.task(id), record.tenant == key.tenant else {
            return nil
        }
        // Only a client that was told the gateway's id knows it: it finds the task in every state.
        return record.state == .refused ? record : try await ledger.publishID(of: record)
    }

    // MARK: Refreshing

    /// The state of a task, no older than `freshness` if Kling answers.
    func refreshed(_ entry: TaskEntry) async -> Refreshed {
        let action = entry.query(now: .now, freshness: freshness) {
            EventLoop.current.spawn { [self] in await refresh(entry) }
        }
        switch action {
        case .answer(let refreshed): return refreshed
        case .began(let call): return await call.value
        case .join(let call):
            var refreshed = await call.value
            // Kling's request id belongs to the query that made the call.
            refreshed.relay = nil
            return refreshed
        }
    }

    /// Asks Kling for the task and records the answer. If that fails, the last known state is returned.
    private func refresh(_ entry: TaskEntry) async -> Refreshed {
        var record = entry.record
        if record.upstreamID == nil {
            // Something else, such as the operator, may have settled an open create.
            record = (try? await ledger.store.task(record.id)) ?? record
            if record.state.isFinal { return Refreshed(record: entry.finish(record, now: .now).record) }
        }
        guard record.account != nil else {
            // It waits for an account, so the store has its latest state.
            return Refreshed(record: entry.finish(record, now: .now).record)
        }
        guard let account = ledger.account(of: record) else {
            // Its account is no longer configured, so Kling's last answer is the latest.
            let known = entry.finish(nil, now: .now)
            return Refreshed(record: known.record, staleness: known.staleness)
        }
        var relay: KlingAnswer?
        var observed: TaskRecord?
        if case .found(let answer, let object, let upstreamID) = await caller.query(
            Destination(account, record.dialect), record.id, upstreamID: record.upstreamID, timeout: Self.timeout)
        {
            relay = answer
            observed = await keep(object, upstreamID, in: answer, of: record, account)
        }
        let (known, staleness) = entry.finish(observed, now: .now)
        return Refreshed(record: known, relay: observed == nil ? nil : relay, staleness: staleness)
    }

    private func keep(
        _ object: TaskObject, _ upstreamID: String, in answer: KlingAnswer, of record: TaskRecord, _ account: Account
    ) async -> TaskRecord? {
        guard record.upstreamID != nil else {
            guard case .accepted(let accepted, _) = await attempts.adopt(answer, upstreamID, record.id, account) else {
                return nil
            }
            return accepted
        }
        do {
            return try await ledger.observe(object, of: record)
        } catch {
            ledger.couldNotRecord("what Kling said about a task could not be recorded", record.id, error)
            return nil
        }
    }
}
