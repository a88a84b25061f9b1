internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// Query: finished tasks from memory or the store, unfinished ones as new as Kling has them.
extension TryOnTasks {
    /// An answer to a query.
    struct Found: Sendable {
        let body: [UInt8]
        /// How old it is, if Kling could not be asked.
        var staleness: Duration?
    }

    /// The task object of a tenant's task that has ended, if it was asked for lately by its public id.
    func finished(_ publicID: String, tenant: String) -> [UInt8]? {
        cache.entry(TaskCache.Key(tenant: tenant, id: publicID))?.finishedJSON()
    }

    /// Finds a tenant's task by its public id, or by the client's own, and says what has become of it.
    func query(
        _ id: String, tenant: String, _ note: ExchangeNote, on loop: EventLoop
    ) async throws(GatewayError) -> Found {
        let entry = try await entry(TaskCache.Key(tenant: tenant, id: id))
        note.task = entry.record.id
        if let json = entry.finishedJSON() {
            return Found(body: Envelope.success(requestID: note.requestID, data: json))
        }
        let start = MonotonicTime.now
        let refreshed = await refreshed(entry, on: loop)
        note.waitedForKling(since: start)
        let json = entry.finishedJSON() ?? TaskView.json(refreshed.record)
        guard let relay = refreshed.relay else {
            return Found(body: Envelope.success(requestID: note.requestID, data: json), staleness: refreshed.staleness)
        }
        return Found(body: relay.relayed(data: json))
    }

    /// The entry of a task, one for each whatever id it was asked for by: kept under its public id.
    private func entry(_ key: TaskCache.Key) async throws(GatewayError) -> TaskEntry {
        if let known = cache.entry(key) { return known }
        let record: TaskRecord?
        do {
            record = try await find(key)
        } catch {
            throw GatewayError(error)
        }
        guard let record else { throw .unknownTask }
        return entry(of: record, record.publicID ?? record.id.description)
    }

    /// The entry of a record that was just read.
    func entry(of record: TaskRecord, _ publicID: String) -> TaskEntry {
        let key = TaskCache.Key(tenant: record.tenant, id: publicID)
        if let known = cache.entry(key) { return known }
        let age = Duration.milliseconds(max(0, clock.now - record.updatedAt))
        return cache.insert(TaskEntry(record, age: age, now: .now), key)
    }

    /// Finds a task by its public id, the client's own, or the gateway's, which a client may have been told when the store
    /// could not keep that.
    private func find(_ key: TaskCache.Key) async throws(StoreError) -> TaskRecord? {
        if let found = try await store.task(tenant: key.tenant, publicID: key.id), found.state != .refused {
            return try await shown(found)
        }
        guard let id = TaskID(key.id), let record = try await store.task(id), record.tenant == key.tenant else {
            return nil
        }
        // Nobody but who was told it knows the gateway's id: it finds the task whatever has become of that.
        return record.state == .refused ? record : try await shown(record)
    }

    /// What is known of a task, as new as `freshness` wants it.
    func refreshed(_ entry: TaskEntry, on loop: EventLoop) async -> Refreshed {
        let action = entry.query(now: .now, freshness: options.freshness) {
            loop.spawn { [self] in await refresh(entry) }
        }
        switch action {
        case .answer(let refreshed): return refreshed
        case .began(let call): return await call.value
        case .join(let call):
            var refreshed = await call.value
            // Kling's request id belongs to the query that asked.
            refreshed.relay = nil
            return refreshed
        }
    }

    /// Asks Kling for the task and notes what it says. It never fails: then the last known state stands.
    private func refresh(_ entry: TaskEntry) async -> Refreshed {
        var record = entry.record
        if record.upstreamID == nil {
            // An open create may have been settled by somebody else, such as the operator.
            record = (try? await store.task(record.id)) ?? record
            if record.state.isFinal { return Refreshed(record: entry.finish(record, now: .now).record) }
        }
        guard record.account != nil else {
            // It waits for an account: what the store says of it is all that there is to know.
            return Refreshed(record: entry.finish(record, now: .now).record)
        }
        guard let account = account(of: record) else {
            // Its account is configured no more: what Kling said last stands.
            let known = entry.finish(nil, now: .now)
            return Refreshed(record: known.record, staleness: known.staleness)
        }
        var relay: KlingAnswer?
        var observed: TaskRecord?
        if case .found(let answer, let object, let upstreamID) = await caller.query(
            Destination(account, record.dialect), record.id, upstreamID: record.upstreamID, timeout: Self.refreshTime)
        {
            relay = answer
            observed = await note(object, upstreamID, in: answer, of: record, account)
        }
        let (known, staleness) = entry.finish(observed, now: .now)
        return Refreshed(record: known, relay: observed == nil ? nil : relay, staleness: staleness)
    }

    private func note(
        _ object: TaskObject, _ upstreamID: String, in answer: KlingAnswer, of record: TaskRecord, _ account: Account
    ) async -> TaskRecord? {
        guard record.upstreamID != nil else {
            guard case .accepted(let accepted, _) = await adopt(answer, upstreamID, record.id, account) else {
                return nil
            }
            return accepted
        }
        do {
            return try await observe(object, of: record)
        } catch {
            couldNotRecord("what Kling said of a task could not be recorded", record.id, error)
            return nil
        }
    }
}
