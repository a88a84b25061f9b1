internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// Jobs that are there: found, listed, waited for, and answered once more.
extension TryOnTasks {
    /// Finds a tenant's job, its unfinished tasks as new as Kling has them: each is asked for at most once in a
    /// `freshness`.
    /// - Throws: ``Cause/unknownTask``, also for a job of which no client was told.
    func job(
        _ number: Int64, tenant: String, _ note: ExchangeNote, on loop: EventLoop
    ) async throws(GatewayError) -> FoundJob {
        let record: JobRecord?
        do {
            record = try await store.job(tenant: tenant, number)
        } catch {
            throw GatewayError(error)
        }
        guard let record, record.isKnown else { throw .unknownTask }
        if record.isFinal { return FoundJob(job: record) }
        let start = MonotonicTime.now
        defer { note.waitedForKling(since: start) }
        return await refreshed(record, on: loop)
    }

    private func refreshed(_ job: JobRecord, on loop: EventLoop) async -> FoundJob {
        let calls = job.tasks.enumerated().compactMap { index, task -> (Int, Task<Refreshed, Never>)? in
            guard !task.state.isFinal, let publicID = task.publicID else { return nil }
            let entry = entry(of: task, publicID)
            return (index, loop.spawn { [self] in await refreshed(entry, on: loop) })
        }
        var found = FoundJob(job: job)
        for (index, call) in calls {
            let refreshed = await call.value
            if refreshed.record.state >= job.tasks[index].state { found.job.tasks[index] = refreshed.record }
            found.staleness = [found.staleness, refreshed.staleness].compactMap(\.self).max()
        }
        return found
    }

    /// Jobs of a page, their unfinished tasks as new as one list call an account makes them.
    func refreshed(_ page: [JobRecord], _ note: ExchangeNote) async -> [JobRecord] {
        var jobs = page
        var tasks = await refreshed(jobs.flatMap(\.tasks), note)[...]
        for index in jobs.indices {
            let count = jobs[index].tasks.count
            jobs[index].tasks = Array(tasks.prefix(count))
            tasks = tasks.dropFirst(count)
        }
        return jobs
    }

    /// The newest job of a tenant with that content, made at `time` (milliseconds since 1970) or later. Its create may
    /// still be under way: ``ended(_:until:on:)`` tells what becomes of it.
    func latestJob(
        _ fingerprint: [UInt8], tenant: String, since time: Int64
    ) async throws(GatewayError) -> JobRecord? {
        do {
            return try await store.latestJob(tenant: tenant, fingerprint: fingerprint, since: time)
        } catch {
            throw GatewayError(error)
        }
    }

    // MARK: Attaching

    /// How long a request that attaches to a job waits for what becomes of a create that is still open.
    private static let openCreateTime = Duration.seconds(15)

    /// The job of a create that came before with the same content.
    /// - Parameters:
    ///   - task: its first task. If its outcome is open, that is brought to its end first, as far as a client waits for it.
    ///   - deadline: when the client waits no longer; nil: as long as clients wait for an open create.
    ///   - request: what to send again then.
    /// - Returns: nil if it has made nothing.
    func attachedJob(
        to task: TaskID, until deadline: MonotonicTime? = nil, on loop: EventLoop,
        _ request: () async throws(GatewayError) -> TryOnRequest
    ) async throws(GatewayError) -> JobRecord? {
        await pursue(task, until: deadline, on: loop, request)
        let job: JobRecord?
        do {
            job = try await store.job(of: task)
        } catch {
            throw GatewayError(error)
        }
        guard let job else { return nil }
        return await settled(job, until: deadline, on: loop)
    }

    /// A job, as soon as it is known what its create came to, or when there is no more time to wait for that.
    /// - Returns: nil if it has made nothing.
    func settled(_ job: JobRecord, until deadline: MonotonicTime?, on loop: EventLoop) async -> JobRecord? {
        let latest = MonotonicTime.now + Self.openCreateTime
        let deadline = min(deadline ?? latest, latest)
        let settled = job.isKnown ? job : await ended(job, until: deadline, on: loop)
        return settled.tasks.allSatisfy(\.wasNeverMade) ? nil : settled
    }

    // MARK: Waiting

    /// Waits until every task of a job has ended, however that comes to be known; until `deadline` at the latest, or until
    /// the caller is cancelled.
    /// - Parameter loop: the caller's.
    /// - Returns: the job as it is then. The tasks of one that was refused meanwhile are `refused`.
    func ended(_ job: JobRecord, until deadline: MonotonicTime, on loop: EventLoop) async -> JobRecord {
        let ticket = ends.register(job.tasks.filter { !$0.state.isFinal }.map(\.id))
        // What has ended before is not told again.
        for task in await current(job).tasks where task.state.isFinal { ends.ended(task.id) }
        await ends.wait(ticket, until: deadline, on: loop)
        return await current(job)
    }

    /// The job as the store has it; as it was known if the store is away.
    private func current(_ job: JobRecord) async -> JobRecord {
        do throws(StoreError) {
            if let known = try await store.job(tenant: job.tenant, job.number) { return known }
            var job = job
            for (index, task) in job.tasks.enumerated() { job.tasks[index] = try await store.task(task.id) ?? task }
            return job
        } catch {
            return job
        }
    }

    // MARK: Idempotency

    /// Notes what a client was told of its job, for its `Idempotency-Key`: a repeated request is answered so. Without a
    /// key it does nothing.
    func answered(_ job: JobRecord, _ answer: StoredAnswer) async {
        guard job.idempotencyKey != nil else { return }
        do {
            try await store.answer(job: job.number, answer)
        } catch {
            couldNotRecord("an answer could not be kept for its Idempotency-Key", job.tasks[0].id, error)
        }
    }

    /// The job of a claimed `Idempotency-Key` that has no answer, if nobody is about to answer it: a crash, a client that
    /// left, or a wait that was too short has kept it from being answered.
    /// - Returns: nil if its first request is still being answered, or nobody knows yet what came of it.
    func unansweredJob(_ known: IdempotencyRecord) async throws(GatewayError) -> JobRecord? {
        guard known.answer == nil, !answering.withLock({ $0.contains(known.task) }) else { return nil }
        do {
            guard let job = try await store.job(of: known.task), job.isKnown else { return nil }
            // The first task went ahead: while its outcome is open, so is the job's.
            return job.tasks[0].state > .intent && job.tasks[0].state != .refused ? job : nil
        } catch {
            throw GatewayError(error)
        }
    }
}
