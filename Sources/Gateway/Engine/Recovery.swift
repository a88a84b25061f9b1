internal import Base
internal import EventLoop
internal import TaskStore

/// Resumes what a shutdown or a crash has left unfinished.
struct Recovery: Sendable {
    let tasks: TryOnTasks

    private static let batch = 500

    private typealias Enqueue = (TaskQueue, [TaskRecord], [TaskID: String]) async throws -> Set<TaskID>

    private var ledger: TaskLedger { tasks.ledger }
    private var store: any TaskStore { tasks.ledger.store }
    private var accounts: Accounts { tasks.ledger.accounts }
    private var clock: GuardedClock { tasks.ledger.clock }
    private var background: Background { tasks.ledger.background }

    /// Reads every unfinished task before the gateway accepts requests. Takes their slots, watches the tasks that
    /// Kling has, looks up those whose outcome is open, and lets queued ones continue to wait.
    func run() async throws {
        if let newest = try await store.allTasks(TaskFilter(), before: nil, limit: 1).first {
            ledger.raiseIDs(above: newest.id)
        }
        accounts.restore(try await store.accounts.states(), running: [])
        let found = try await unfinished()
        follow(found)
        ledger.unsavedPublicIDs.recover(open: found.open.map(\.id))
        if let replicas = store.replicas {
            noteTold(Set(found.open.map(\.id)))
            // What this gateway has left itself: nothing, because its number is new.
            for number in replicas.predecessors { try await tasks.resends?.inherit(from: number) }
        } else {
            try await tasks.resends?.restore()
        }
        try await recoverLookups()
        try await store.outbox.releaseLeases(at: clock.now)
        try await settle(found) { queue, records, accounts in
            try await queue.recover(records, accounts: accounts)
        }
        if let queue = ledger.queue {
            let dispatcher = Dispatcher(tasks: tasks, queue: queue)
            Origin.$bound.withValue(.queue) { _ = background.start { await dispatcher.run() } }
        }
    }

    /// Resumes what another gateway has left, whose tasks now belong to this one.
    /// - Parameters:
    ///   - ids: the unfinished tasks.
    ///   - number: the other gateway's number.
    func takeOver(_ ids: Set<TaskID>, from number: Int64) async throws {
        // At once, because an acceptance may be recorded from now on.
        noteTold(ids)
        let found = try await unfinished(among: ids)
        for id in found.neverSent { ledger.unsavedPublicIDs.remove(id) }
        follow(found)
        try await tasks.resends?.inherit(from: number, among: ids)
        try await settle(found) { queue, records, accounts in
            try await queue.add(records, accounts: accounts)
        }
        ledger.callbackDelivery?.kick()
    }

    /// Reads the unfinished tasks.
    /// - Parameter ids: the ones to take; nil: all.
    private func unfinished(among ids: Set<TaskID>? = nil) async throws -> Unfinished {
        let limits = tasks.limits()
        var found = Unfinished()
        var last: TaskID?
        repeat {
            let records = try await store.unfinished(after: last, limit: Self.batch)
            for record in records where ids?.contains(record.id) ?? true { take(record, limits, into: &found) }
            last = records.count == Self.batch ? records.last?.id : nil
        } while last != nil
        return found
    }

    /// Makes the gateway's ids of tasks that Kling may not have yet their public ones, because another gateway may have
    /// told them to clients while it could not record that.
    private func noteTold(_ ids: Set<TaskID>) {
        for id in ids { ledger.unsavedPublicIDs.announce(id) }
    }

    /// Takes the tasks' slots at their accounts, and makes known which creates are open.
    private func follow(_ found: Unfinished) {
        accounts.restore([], running: found.running)
        report(found.openAtChangedAccounts)
        ledger.openAtStart.add(
            found.open.filter {
                guard case .same(let account) = ledger.match(of: $0) else { return false }
                return account.capabilities.hasLookup != false
            })
        background.start { await flagStuck(found.orphans) }
    }

    /// Ends what was never sent, queues again what was queued, and looks up what may have been sent.
    /// - Parameter enqueue: puts tasks into the queue, and returns those whose bodies are gone.
    private func settle(_ found: Unfinished, enqueue: Enqueue) async throws {
        for id in found.neverSent { await ledger.endWithRetry(id, because: "not sent; nothing was charged") }
        try await recoverQueue(found.queued, enqueue)
        for record in found.open {
            await tasks.openCreates.resolve(record, orEndBecause: "not sent; nothing was charged")
        }
    }

    /// Takes the slots of the task's key and tenant, watches it if Kling has it, and remembers what else is to be done. There may be
    /// many tasks that Kling has, so their records are not kept.
    private func take(_ record: TaskRecord, _ limits: RunningLimits, into found: inout Unfinished) {
        let age = clock.age(since: record.createdAt)
        ledger.running.restore(record, limits, startedAt: .now + (.zero - age))
        let match = ledger.match(of: record)
        if found.add(record, match, age: age) { return }
        ledger.follow(record)
        if match.account == nil { found.orphans.append(Orphan(id: record.id, updatedAt: record.updatedAt)) }
    }

    /// Logs accounts whose keys or hosts have changed since open creates were sent to them.
    /// - Parameter creates: the number of those creates, by account name.
    private func report(_ creates: [String: Int]) {
        for (name, count) in creates.sorted(by: { $0.key < $1.key }) where accounts.named(name) != nil {
            ledger.observer.event(
                .error, "an account is not the one that open creates were sent to: they are not sent again",
                [("account", name), ("creates", String(count))])
        }
    }

    /// Flags tasks whose accounts are no longer configured, a day after the last update of each. They keep their
    /// state.
    private func flagStuck(_ orphans: [Orphan]) async {
        for orphan in orphans.sorted(by: { $0.updatedAt < $1.updatedAt }) {
            let quietFor = clock.age(since: orphan.updatedAt)
            guard await background.sleep(for: WatchSchedule.stuckAfter - quietFor) else { return }
            await ledger.flagWithRetry(orphan.id, .stuck)
        }
    }

    /// Finds out for each account, with a recently accepted task, whether it finds tasks by the gateway's ids. Until
    /// this is known, open creates of the account cannot be settled.
    private func recoverLookups() async throws {
        let recent = try await store.allTasks(TaskFilter(), before: nil, limit: Self.batch)
        var asked: Set<String> = []
        for record in recent where record.upstreamID != nil {
            guard let account = ledger.account(of: record), asked.insert(account.name).inserted else { continue }
            tasks.probes.learnLookup(account, record)
        }
    }

    private func recoverQueue(_ records: [TaskRecord], _ enqueue: Enqueue) async throws {
        guard let queue = ledger.queue else {
            // The queue was switched off, so its tasks can no longer be sent.
            for record in records {
                await tasks.openCreates.resolve(record, orEndBecause: "not sent; nothing was charged")
            }
            return
        }
        var accounts: [TaskID: String] = [:]
        for record in records where record.job != nil {
            accounts[record.id] = try await store.jobs.job(of: record.id)?.account
        }
        let missing = try await enqueue(queue, records, accounts)
        let dispatcher = Dispatcher(tasks: tasks, queue: queue)
        for record in records {
            if missing.contains(record.id) {
                await tasks.openCreates.resolve(record, orEndBecause: "the request was lost; nothing was charged")
            } else if case .same(let account) = ledger.match(of: record) {
                dispatcher.resume(record, at: account)
            } else if record.account != nil {
                // The account that may have it has changed or is gone. The task stays with it and is not sent again.
                _ = queue.take(record.id)
                await tasks.openCreates.resolve(record, orEndBecause: "")
            }
        }
    }

    /// A task that Kling has, at an account that is no longer configured.
    private struct Orphan: Sendable {
        let id: TaskID
        let updatedAt: Int64
    }

    /// The unfinished tasks, grouped by what has to be done with them. Of those that Kling has, there are no records.
    private struct Unfinished {
        var running: [RunningTask] = []
        var orphans: [Orphan] = []
        var open: [TaskRecord] = []
        var queued: [TaskRecord] = []
        var neverSent: [TaskID] = []
        /// The number of open creates by account name, for accounts that have since changed or been removed.
        var openAtChangedAccounts: [String: Int] = [:]

        /// - Returns: false if Kling has the task.
        mutating func add(_ record: TaskRecord, _ match: AccountMatch, age: Duration) -> Bool {
            if let account = match.account {
                running.append(RunningTask(id: record.id, account: account.name, age: age))
            }
            if let name = record.account, record.upstreamID == nil {
                if case .same = match {} else { openAtChangedAccounts[name, default: 0] += 1 }
            }
            switch (record.state, record.account) {
            case (.intent, nil): neverSent.append(record.id)
            case (.intent, _?): open.append(record)
            case (.queued, _): queued.append(record)
            default: return false
            }
            return true
        }
    }
}
