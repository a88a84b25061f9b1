internal import Base
internal import GatewayConfiguration
internal import KlingAPI
internal import TaskStore

/// Drains the queue as accounts get room. One task at a time waits for a slot; any number can be in flight.
struct Dispatcher: Sendable {
    let tasks: TryOnTasks
    let queue: TaskQueue

    /// How long the task at the head of the queue waits before another tenant gets its turn.
    private static let turn = Duration.seconds(1)
    /// The range of pauses between attempts to settle a task whose outcome is unknown.
    private static let pauses = LookUpPlan.outagePauses

    private var background: Background { tasks.background }
    private var ledger: TaskLedger { tasks.ledger }

    /// Dispatches tasks until it is cancelled.
    func run() async {
        while !Task.isCancelled {
            expire()
            guard let entry = queue.next(where: tasks.accounts.mayServe) else {
                await queue.wait(for: Self.turn)
                continue
            }
            let account = await tasks.accounts.wait(
                for: entry.task, tenant: entry.tenant, model: entry.model,
                excluding: tasks.accounts.excluded(by: entry.need), until: .now + Self.turn)
            guard let account else {
                queue.putBack(entry.task)
                continue
            }
            background.start { await dispatch(entry, to: account) }
        }
    }

    /// Resumes a task that was assigned to an account before a shutdown or a crash. First, it is looked up there.
    func resume(_ record: TaskRecord, at account: Account) {
        guard let entry = queue.take(record.id) else { return }
        let destination = Destination(account, record.dialect)
        background.start { await finish(entry, destination, await settle(entry, destination, timedOut: false)) }
    }

    // MARK: One task

    /// Sends a task to an account where it has a slot. The assignment is recorded first.
    private func dispatch(_ entry: QueuedTask, to account: Account) async {
        let destination = Destination(account)
        do {
            try await ledger.shared.assign(entry.task, to: destination)
        } catch {
            tasks.accounts.settled(entry.task, on: account.name, .withdrawn)
            // It has ended in the meantime, for instance because the operator cancelled it.
            if error.code == .stale || error.code == .notFound { return await ledger.forgetEnded(entry.task) }
            if error.code == .accountFull { return queue.putBack(entry.task) }
            ledger.couldNotRecord("a queued task could not be given to an account", entry.task, error)
            return await putBack(entry, after: .seconds(1))
        }
        var sent: (attempt: Attempt, to: Destination)
        do {
            sent = try await send(entry, to: destination)
        } catch let error as SpoolError {
            return await withdraw(entry, account, error)
        } catch let error as GatewayError where error.cause == .noMemory || error.cause == .storeUnavailable {
            // There is no room for its pictures at the moment.
            return await withdraw(entry, account, SpoolError(.unavailable, error.message))
        } catch {
            tasks.accounts.settled(entry.task, on: account.name, .withdrawn)
            return await fail(entry, (error as? GatewayError)?.message ?? "\(error)")
        }
        if case .open(let timedOut) = sent.attempt { sent.attempt = await settle(entry, sent.to, timedOut: timedOut) }
        await finish(entry, sent.to, sent.attempt)
    }

    /// Sends a task. Its body is in memory only while it is sent.
    /// - Throws: `SpoolError` if its body cannot be read; `GatewayError` if what the account needs cannot be made from
    ///   it.
    private func send(
        _ entry: QueuedTask, to destination: Destination
    ) async throws -> (attempt: Attempt, to: Destination) {
        let kept = try await body(of: entry)
        return try await tasks.attempts.attempt(entry.task, at: destination) { to throws(GatewayError) in
            try await tasks.bodies.body(kept, of: entry, for: to)
        }
    }

    private func body(of entry: QueuedTask) async throws(SpoolError) -> [ByteSlice] {
        do {
            return try await queue.body(of: entry)
        } catch {
            tasks.caller.observer.event(
                .error, "a queued task's body cannot be read",
                [("task", entry.task.description), ("reason", error.detail)])
            throw error
        }
    }

    /// Handles a task whose body is not available: fails it if the body is lost, otherwise queues it again.
    private func withdraw(_ entry: QueuedTask, _ account: Account, _ error: SpoolError) async {
        tasks.accounts.settled(entry.task, on: account.name, .withdrawn)
        if error.code == .missing || error.code == .damaged {
            return await fail(entry, "the request was lost; nothing was charged")
        }
        _ = await background.sleep(for: .seconds(1))
        await requeue(entry)
    }

    /// Looks up a task whose outcome is open, and sends it again if Kling doesn't know it, for as long as it takes:
    /// the client was told that the task waits. At an account that might make two tasks of it, it is looked up for a
    /// while and never sent again.
    private func settle(_ entry: QueuedTask, _ destination: Destination, timedOut: Bool) async -> Attempt {
        var pause = Self.pauses.lowerBound
        while true {
            // Without its body, it can only be looked up.
            let attempt = await tasks.openCreates.settle(entry.task, at: destination, timedOut: timedOut) {
                guard let body = try? await body(of: entry) else { return nil }
                return try? await tasks.bodies.body(body, of: entry, for: destination)
            }
            guard case .open = attempt, destination.account.capabilities.mayRepeat, !destination.isOutdated else {
                return attempt
            }
            await ledger.flagIfOld(entry.task)
            guard await background.sleep(for: pause) else { return attempt }
            pause = min(pause * 2, Self.pauses.upperBound)
        }
    }

    private func finish(_ entry: QueuedTask, _ destination: Destination, _ attempt: Attempt) async {
        let account = destination.account
        switch attempt {
        case .accepted: queue.forget(entry.task)
        case .refused(_, let answer): await fail(entry, Redaction.withheld(entry.task, nil, from: answer.message))
        case .declined: await requeue(entry)
        case .unsuitable(let error): await exclude(account, error, entry)
        case .open where Task.isCancelled: break
        case .open:
            // It is never sent again, and no longer waits in the queue.
            if destination.isOutdated {
                tasks.openCreates.findInBackground(entry.task, at: account)
            } else {
                tasks.openCreates.settleInBackground(entry.task, at: account)
            }
            queue.forget(entry.task)
        }
    }

    /// Excludes an account that does not accept the request. Other accounts are tried, if there are any.
    private func exclude(_ account: Account, _ error: GatewayError, _ entry: QueuedTask) async {
        var need = entry.need
        need.excluding.insert(account.name)
        guard tasks.accounts.canQueue(model: need.model, excluding: tasks.accounts.excluded(by: need)) else {
            return await fail(entry, error.message)
        }
        queue.exclude(need.excluding, for: entry.task)
        await requeue(entry)
    }

    private func fail(_ entry: QueuedTask, _ reason: String) async {
        await ledger.endWithRetry(entry.task, because: reason)
        queue.forget(entry.task)
    }

    /// Queues a task again after its account did not take it. Another account may get it only after its record names
    /// none.
    private func requeue(_ entry: QueuedTask) async {
        while !Task.isCancelled {
            do throws(StoreError) {
                _ = try await tasks.store.queue(entry.task, payload: entry.bytes, at: tasks.clock.now) { _ in
                    preconditionFailure("a queued task was answered before")
                }
                return queue.putBack(entry.task)
            } catch {
                if error.code == .stale || error.code == .notFound { return queue.forget(entry.task) }
                ledger.couldNotRecord("a task could not be queued again", entry.task, error)
                guard await background.sleep(for: .seconds(1)) else { return }
            }
        }
    }

    private func putBack(_ entry: QueuedTask, after pause: Duration) async {
        _ = await background.sleep(for: pause)
        queue.putBack(entry.task)
    }

    private func expire() {
        let expired = queue.expired(now: tasks.clock.believed)
        if expired.isEmpty { return }
        let age = queue.maxAge.configurationText
        background.start {
            for entry in expired { await fail(entry, "not sent within \(age); nothing was charged") }
        }
    }
}
