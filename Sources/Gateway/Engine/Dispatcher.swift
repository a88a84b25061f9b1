internal import Base
internal import KlingAPI
internal import TaskStore

/// Drains the queue as accounts get room: one task at a time waits for a slot, any number are being sent.
struct Dispatcher: Sendable {
    let tasks: TryOnTasks
    let queue: TaskQueue

    /// How long one task waits at the head before another tenant's has its turn.
    private static let turn = Duration.seconds(1)
    /// Between attempts of which nobody knows what became.
    private static let pauses = LookUpPlan.outagePauses

    private var background: Background { tasks.background }
    private var ledger: TaskLedger { tasks.ledger }

    /// Goes on until it is cancelled.
    func run() async {
        while !Task.isCancelled {
            expire()
            guard let entry = queue.next(where: tasks.accounts.mayServe) else {
                await queue.wait(for: Self.turn)
                continue
            }
            let account = await tasks.accounts.wait(
                for: entry.task, tenant: entry.tenant, model: entry.model,
                excluding: tasks.accounts.excluded(by: entry.need), until: .now + Self.turn, on: background.loop)
            guard let account else {
                queue.putBack(entry.task)
                continue
            }
            background.start { await dispatch(entry, to: account) }
        }
    }

    /// A task that a crash interrupted after it was given to an account: it is asked for there before anything else.
    func resume(_ record: TaskRecord, at account: Account) {
        guard let entry = queue.take(record.id) else { return }
        let destination = Destination(account, record.dialect)
        background.start { await finish(entry, destination, await settle(entry, destination, timedOut: false)) }
    }

    // MARK: One task

    /// Gives a task to an account in which it has a slot, durably first.
    private func dispatch(_ entry: QueuedTask, to account: Account) async {
        let destination = Destination(account)
        do {
            try await tasks.store.assign(entry.task, to: destination, at: tasks.clock.now)
        } catch {
            tasks.accounts.settled(entry.task, on: account.name, .withdrawn)
            // It has ended meanwhile, for instance because the operator has cancelled it.
            if error.code == .stale || error.code == .notFound { return await ledger.forgetEnded(entry.task) }
            ledger.couldNotRecord("a queued task could not be given to an account", entry.task, error)
            return await putBack(entry, after: .seconds(1))
        }
        var sent: (attempt: Attempt, to: Destination)
        do {
            sent = try await send(entry, to: destination)
        } catch let error as SpoolError {
            return await withdraw(entry, account, error)
        } catch let error as GatewayError where error.cause == .noMemory || error.cause == .storeUnavailable {
            // There is no room for its pictures now.
            return await withdraw(entry, account, SpoolError(.unavailable, error.message))
        } catch {
            tasks.accounts.settled(entry.task, on: account.name, .withdrawn)
            return await fail(entry, (error as? GatewayError)?.message ?? "\(error)")
        }
        if case .open(let timedOut) = sent.attempt { sent.attempt = await settle(entry, sent.to, timedOut: timedOut) }
        await finish(entry, sent.to, sent.attempt)
    }

    /// Sends a task; its body is in memory no longer than that takes.
    /// - Throws: `SpoolError`, or `GatewayError` for pictures that the account could never be sent.
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

    /// A task could not be sent, as its body cannot be read: now, or ever.
    private func withdraw(_ entry: QueuedTask, _ account: Account, _ error: SpoolError) async {
        tasks.accounts.settled(entry.task, on: account.name, .withdrawn)
        if error.code == .missing || error.code == .damaged {
            return await fail(entry, "the request was lost; nothing was charged")
        }
        _ = await background.sleep(until: .now + .seconds(1))
        await requeue(entry)
    }

    /// Asks, and sends again what Kling doesn't know, for as long as it takes: the client was told that the task waits. An
    /// account that might make two tasks of it is only asked.
    private func settle(_ entry: QueuedTask, _ destination: Destination, timedOut: Bool) async -> Attempt {
        var pause = Self.pauses.lowerBound
        while true {
            // Without its body it can only be asked for.
            let attempt = await tasks.openCreates.settle(entry.task, at: destination, timedOut: timedOut) {
                guard let body = try? await body(of: entry) else { return nil }
                return try? await tasks.bodies.body(body, of: entry, for: destination)
            }
            guard case .open = attempt, destination.account.mayRepeat, !destination.isOutdated else { return attempt }
            await ledger.flagIfOld(entry.task)
            guard await background.sleep(until: .now + pause) else { return attempt }
            pause = min(pause * 2, Self.pauses.upperBound)
        }
    }

    private func finish(_ entry: QueuedTask, _ destination: Destination, _ attempt: Attempt) async {
        let account = destination.account
        switch attempt {
        case .accepted: queue.forget(entry.task)
        case .refused(_, let answer): await fail(entry, Disclosure.withheld(entry.task, nil, from: answer.message))
        case .declined: await requeue(entry)
        case .unsuitable(let error): await exclude(account, error, entry)
        case .open where Task.isCancelled: break
        case .open:
            // It is never sent again, and does not wait any more.
            if destination.isOutdated {
                tasks.openCreates.findInBackground(entry.task, at: account)
            } else {
                tasks.openCreates.settleInBackground(entry.task, at: account)
            }
            queue.forget(entry.task)
        }
    }

    /// An account does not take such a request: others are tried, if there are any.
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
        await ledger.endAtLast(entry.task, because: reason)
        queue.forget(entry.task)
    }

    /// The account has no room after all. Only when its record names no account may another one have the task.
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
                guard await background.sleep(until: .now + .seconds(1)) else { return }
            }
        }
    }

    private func putBack(_ entry: QueuedTask, after pause: Duration) async {
        _ = await background.sleep(until: .now + pause)
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
