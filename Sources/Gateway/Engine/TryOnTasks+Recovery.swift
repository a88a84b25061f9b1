internal import Base
internal import EventLoop
internal import TaskStore

/// What a stop or a crash has left is taken up where it was.
extension TryOnTasks {
    private static let batch = 500

    /// Reads every unfinished task, before anything is served: slots are taken, what Kling has is watched, what is open
    /// is asked for, what is queued waits on.
    func recover() async throws {
        if let newest = try await store.allTasks(TaskFilter(), before: nil, limit: 1).first {
            ids.withLock { $0.rise(above: newest.id, at: clock.now) }
        }
        var found = Unfinished()
        var last: TaskID?
        repeat {
            let records = try await store.unfinished(after: last, limit: Self.batch)
            for record in records { found.add(record, match(of: record), age: clock.age(since: record.createdAt)) }
            last = records.count == Self.batch ? records.last?.id : nil
        } while last != nil
        accounts.restore(try await store.accountStates(), running: found.running)
        let now = MonotonicTime.now
        for (id, key, age) in found.keys { _ = running.admit(id, key: key, limit: .max, now: now + (.zero - age)) }
        report(found.strangers)
        told.recover(open: found.open.map(\.id))
        for record in found.accepted { follow(record) }
        let orphans = found.accepted.filter { account(of: $0) == nil }
        background.start { [self] in await flagStuck(orphans) }
        try await resends?.restore()
        try await recoverLookups()
        try await store.releaseLeases(at: clock.now)
        for id in found.neverSent { await endAtLast(id, because: "not sent; nothing was charged") }
        try await recoverQueue(found.queued)
        for record in found.open { await resolve(record, orEndBecause: "not sent; nothing was charged") }
    }

    /// Tells the operator of accounts that have other keys, or are at other hosts, than when creates were sent to them whose
    /// outcome is open.
    /// - Parameter creates: how many, by the accounts' names.
    private func report(_ creates: [String: Int]) {
        for (name, count) in creates.sorted(by: { $0.key < $1.key }) where accounts.named(name) != nil {
            caller.observer.event(
                .error, "an account is not the one that open creates were sent to: they are not sent again",
                [("account", name), ("creates", String(count))])
        }
    }

    /// Tasks of accounts that are configured no more are heard of no more: a day after that was last so, the operator is
    /// told. They keep the state that they have.
    private func flagStuck(_ records: [TaskRecord]) async {
        for record in records.sorted(by: { $0.updatedAt < $1.updatedAt }) {
            let quietFor = clock.age(since: record.updatedAt)
            guard await background.sleep(until: .now + (WatchSchedule.stuckAfter - quietFor)) else { return }
            await flagAtLast(record.id, .stuck)
        }
    }

    /// Takes up a task that is not sent any more: one that no account was ever given ends, any other is asked for there.
    private func resolve(_ record: TaskRecord, orEndBecause reason: String) async {
        if record.account == nil { return await endAtLast(record.id, because: reason) }
        switch match(of: record) {
        case .same(let account): settleInBackground(record.id, at: account)
        case .rekeyed(let account): findInBackground(record.id, at: account)
        case .none: background.start { [self] in await leaveToOperator(record.id) }
        }
    }

    /// A task that Kling accepted lately shows whether its account finds tasks by the gateway's ids: without that, open
    /// creates of the account could not be settled.
    private func recoverLookups() async throws {
        let recent = try await store.allTasks(TaskFilter(), before: nil, limit: Self.batch)
        var asked: Set<String> = []
        for record in recent where record.upstreamID != nil {
            guard let account = account(of: record), asked.insert(account.name).inserted else { continue }
            learnLookup(account, record)
        }
    }

    private func recoverQueue(_ records: [TaskRecord]) async throws {
        guard let queue else {
            // The queue was switched off: what waits in it has no way to Kling any more.
            for record in records { await resolve(record, orEndBecause: "not sent; nothing was charged") }
            return
        }
        var accounts: [TaskID: String] = [:]
        for record in records where record.job != nil {
            accounts[record.id] = try await store.job(of: record.id)?.account
        }
        let missing = try await queue.recover(records, accounts: accounts)
        let dispatcher = Dispatcher(tasks: self, queue: queue)
        for record in records {
            if missing.contains(record.id) {
                await resolve(record, orEndBecause: "the request was lost; nothing was charged")
            } else if case .same(let account) = match(of: record) {
                dispatcher.resume(record, at: account)
            } else if record.account != nil {
                // Another account than today's may have it: it keeps its place, and is not sent again.
                _ = queue.take(record.id)
                await resolve(record, orEndBecause: "")
            }
        }
        Origin.$current.withValue(.queue) { _ = background.start { await dispatcher.run() } }
    }

    /// The unfinished tasks, by what is to be done.
    private struct Unfinished {
        var running: [RunningTask] = []
        var keys: [(TaskID, String, age: Duration)] = []
        var accepted: [TaskRecord] = []
        var open: [TaskRecord] = []
        var queued: [TaskRecord] = []
        var neverSent: [TaskID] = []
        /// How many open creates were sent under the name of each account that is not the same any more.
        var strangers: [String: Int] = [:]

        mutating func add(_ record: TaskRecord, _ match: AccountMatch, age: Duration) {
            if let key = record.keyID { keys.append((record.id, key, age)) }
            if let account = match.account {
                running.append(RunningTask(id: record.id, account: account.name, age: age))
            }
            if let name = record.account, record.upstreamID == nil {
                if case .same = match {} else { strangers[name, default: 0] += 1 }
            }
            switch (record.state, record.account) {
            case (.intent, nil): neverSent.append(record.id)
            case (.intent, _?): open.append(record)
            case (.queued, _): queued.append(record)
            default: accepted.append(record)
            }
        }
    }
}
