internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// Existing jobs: found, refreshed, waited for, and answered again.
extension TryOnJobs {
    /// Finds a tenant's job and refreshes its unfinished tasks, each at most once per `freshness`.
    /// - Throws: ``Cause/unknownTask``, also for a job that no client was told of.
    func find(
        _ number: Int64, tenant: String, _ note: ExchangeNote
    ) async throws(GatewayError) -> FoundJob {
        let record: JobRecord?
        do {
            record = try await ledger.store.jobs.job(tenant: tenant, number)
        } catch {
            throw GatewayError(error)
        }
        guard let record, record.isKnown else { throw .unknownTask }
        if record.isFinal { return FoundJob(job: record) }
        note.startWaiting()
        defer { note.stopWaiting() }
        return await refreshed(record)
    }

    private func refreshed(_ job: JobRecord) async -> FoundJob {
        let calls = job.tasks.enumerated().compactMap { index, task -> (Int, Task<Refreshed, Never>)? in
            guard !task.state.isFinal, let publicID = task.publicID else { return nil }
            let entry = queries.entry(of: task, publicID)
            return (index, EventLoop.current.spawn { [queries] in await queries.refreshed(entry) })
        }
        var found = FoundJob(job: job)
        for (index, call) in calls {
            let refreshed = await call.value
            if refreshed.record.state >= job.tasks[index].state { found.job.tasks[index] = refreshed.record }
            found.staleness = [found.staleness, refreshed.staleness].compactMap(\.self).max()
        }
        return found
    }

    /// Refreshes the unfinished tasks of a page of jobs, with one list call per account.
    func refreshed(_ page: [JobRecord], _ note: ExchangeNote) async -> [JobRecord] {
        var jobs = page
        var tasks = await queries.refreshed(jobs.flatMap(\.tasks), note)[...]
        for index in jobs.indices {
            let count = jobs[index].tasks.count
            jobs[index].tasks = Array(tasks.prefix(count))
            tasks = tasks.dropFirst(count)
        }
        return jobs
    }

    /// The newest job of a tenant with that content, made at `time` (milliseconds since 1970) or later. Its create may
    /// still be in progress: ``ended(_:until:)`` waits for its outcome.
    func latest(
        _ fingerprint: [UInt8], tenant: String, since time: Int64
    ) async throws(GatewayError) -> JobRecord? {
        do {
            return try await ledger.store.jobs.latest(tenant: tenant, fingerprint: fingerprint, since: time)
        } catch {
            throw GatewayError(error)
        }
    }

    // MARK: Re-sent requests

    /// How long a re-sent request waits for the outcome of a create that is still open.
    private static let openCreateTime = Duration.seconds(15)

    /// The job of an earlier create with the same content.
    /// - Parameters:
    ///   - task: its first task. If the outcome is open, it is settled first, for as long as a client waits for it.
    ///   - deadline: when the client stops waiting; nil: as long as clients wait for an open create.
    ///   - request: what to send again in that case.
    /// - Returns: nil if it has made nothing.
    func attached(
        to task: TaskID, until deadline: MonotonicTime? = nil,
        _ request: () async throws(GatewayError) -> TryOnRequest
    ) async throws(GatewayError) -> JobRecord? {
        await openCreates.settleForResend(task, until: deadline, request)
        let job: JobRecord?
        do {
            job = try await ledger.store.jobs.job(of: task)
        } catch {
            throw GatewayError(error)
        }
        guard let job else { return nil }
        return await settled(job, until: deadline)
    }

    /// Waits until the outcome of a job's create is known or the time to wait for it has passed.
    /// - Returns: nil if it has made nothing.
    func settled(_ job: JobRecord, until deadline: MonotonicTime?) async -> JobRecord? {
        let latest = MonotonicTime.now + Self.openCreateTime
        let deadline = min(deadline ?? latest, latest)
        let settled = job.isKnown ? job : await ended(job, until: deadline)
        return settled.tasks.allSatisfy(\.wasNeverMade) ? nil : settled
    }

    // MARK: Waiting

    /// Waits until every task of a job has ended, however that becomes known, until `deadline`, or until the caller is
    /// cancelled.
    /// - Returns: the job as it is then. The tasks of a job that was refused in the meantime are `refused`.
    func ended(_ job: JobRecord, until deadline: MonotonicTime) async -> JobRecord {
        let ticket = ledger.ends.register(job.tasks.filter { !$0.state.isFinal }.map(\.id))
        // Tasks that ended before the registration are not reported again.
        for task in await current(job).tasks where task.state.isFinal { ledger.ends.ended(task.id) }
        await ledger.ends.wait(ticket, until: deadline)
        return await current(job)
    }

    /// The job as the store has it; the given one while the store is unavailable.
    private func current(_ job: JobRecord) async -> JobRecord {
        do throws(StoreError) {
            if let known = try await ledger.store.jobs.job(tenant: job.tenant, job.number) { return known }
            var job = job
            for (index, task) in job.tasks.enumerated() {
                job.tasks[index] = try await ledger.store.task(task.id) ?? task
            }
            return job
        } catch {
            return job
        }
    }

    // MARK: Idempotency

    /// Records a job's answer for its `Idempotency-Key`: a repeated request gets the same one. Does nothing without a
    /// key.
    func recordAnswer(_ answer: StoredAnswer, to job: JobRecord) async {
        guard job.idempotencyKey != nil else { return }
        do {
            try await ledger.store.jobs.answer(job: job.number, answer)
        } catch {
            ledger.couldNotRecord(
                "an answer could not be kept for its Idempotency-Key", job.tasks[0].id, error)
        }
    }

    /// The job of a claimed `Idempotency-Key` that has no answer, if no request is about to answer it: a crash, a
    /// client that left, or a wait that was too short has prevented the answer.
    /// - Returns: nil if its first request is still being answered, or if its outcome is unknown.
    func unanswered(_ known: IdempotencyRecord) async throws(GatewayError) -> JobRecord? {
        guard known.answer == nil, !answering.withLock({ $0.contains(known.task) }) else { return nil }
        do {
            guard let job = try await ledger.store.jobs.job(of: known.task), job.isKnown else { return nil }
            // The first task is sent before the others: while its outcome is open, so is the job's.
            return job.tasks[0].state > .intent && job.tasks[0].state != .refused ? job : nil
        } catch {
            throw GatewayError(error)
        }
    }
}
