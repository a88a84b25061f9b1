internal import Base
internal import EventLoop
internal import TaskStore

/// Runs periodic work: saves what was learned about accounts, probes disabled ones, counts what operators should
/// see, deletes old records.
struct Maintenance: Sendable {
    let tasks: TryOnTasks
    let retention: Retention
    let assets: (any Uploads)?

    private static let rows = 500

    private let budgets = BudgetReader()
    /// Whether the wall clock was in doubt when it was last checked.
    private let isInDoubt = Lock(false)
    /// Who had a limit of running tasks when those were last counted.
    private let counted = Lock(RunningLimits())

    /// Starts the work, which continues until the background stops.
    func start() {
        tasks.accounts.beginChecks()
        counted.withLock { $0 = tasks.limits() }
        every(.seconds(1)) {
            await keepAccounts()
            await countRunningTasks()
            for account in tasks.accounts.probes(now: .now) { tasks.background.start { await probe(account) } }
        }
        if let replicas = tasks.store.replicas { every(.milliseconds(500)) { await learn(from: replicas) } }
        every(.seconds(30)) { await countFlagged() }
        every(.seconds(5)) { await readBudgets() }
        every(.seconds(60)) { await assets?.expire() }
        every(.seconds(10)) { await tasks.ledger.hosted?.expire() }
        every(.seconds(20)) { await saveClock() }
        every(.seconds(600), atOnce: false) { await prune() }
        every(.seconds(600), atOnce: false) { await tasks.ledger.queue?.sweep() }
    }

    private func every(
        _ interval: Duration, atOnce: Bool = true, _ chore: @escaping @Sendable () async -> Void
    ) {
        tasks.background.start {
            if !atOnce { guard await tasks.background.sleep(for: interval) else { return } }
            repeat { await chore() } while await tasks.background.sleep(for: interval)
        }
    }

    /// Counts the running tasks of keys and tenants that have got a limit since this was last called.
    func countRunningTasks() async {
        let limits = tasks.limits()
        let known = counted.withLock { $0 }
        guard limits != known else { return }
        if !limits.isSubset(of: known) {
            guard (try? await tasks.ledger.countRunningTasks(limits, batch: Self.rows)) != nil else { return }
        }
        counted.withLock { $0 = limits }
    }

    /// Saves the accounts whose state has changed. Those that cannot be saved are saved the next time.
    func keepAccounts() async {
        let changed = tasks.accounts.takeChanged()
        for (index, record) in changed.enumerated() {
            do {
                try await tasks.store.accounts.keep(record)
            } catch {
                return tasks.accounts.putBack(Array(changed[index...]))
            }
        }
    }

    /// Learns how many tasks other gateways run, and what they have learned about the accounts. What cannot be read stays
    /// as it was: the store checks the limits anyway.
    private func learn(from replicas: any ReplicaStore) async {
        let since = tasks.clock.now - TaskSlots.longest.nanoseconds / 1_000_000
        if let running = try? await replicas.runningElsewhere(since: since) { tasks.accounts.count(elsewhere: running) }
        if let states = try? await tasks.store.accounts.states() { tasks.accounts.merge(states) }
    }

    /// Counts the tasks that need the operator's attention.
    func countFlagged() async {
        let filter = TaskFilter(flags: [.stuck, .unknown])
        let flagged = try? await tasks.store.allTasks(filter, before: nil, limit: Self.mostFlagged)
        // Each gateway counts its own, so that the counts of several add up.
        if let flagged { tasks.flagged.withLock { $0 = FlaggedTasks(flagged.filter { !$0.isForeign }) } }
    }

    /// Reads what is used of tenants' budgets. Figures that can't be read stay as they were.
    func readBudgets() async {
        let figures = try? await budgets.read(from: tasks.store, at: tasks.clock.believed)
        if let figures { tasks.budgets.withLock { $0 = figures } }
    }

    /// The highest count. Beyond it, an operator doesn't inspect tasks one by one.
    private static let mostFlagged = 1000

    /// Checks with a list call, which is free, whether Kling accepts the account again. An account that has not been
    /// reached since the start is checked with other free calls as well.
    func probe(_ account: Account) async {
        let answer: UpstreamAnswer?
        if tasks.accounts.needsCheck(account.name) {
            let check = await AccountCheck(tasks.caller).run(account)
            // A stopping gateway cuts the calls off, which says nothing about the account.
            if Task.isCancelled { return }
            answer = check.list
            if tasks.accounts.checked(account.name, check.finding, now: .now) { report(check.finding, of: account) }
        } else {
            answer = try? await tasks.caller.list(Destination(account), timeout: AccountProbes.timeout).answer
        }
        tasks.attempts.report(tasks.accounts.probed(account.name, ProbeOutcome(answer), now: .now))
    }

    private func report(_ finding: AccountFinding, of account: Account) {
        guard let problem = finding.problem else {
            return tasks.caller.observer.event(.warning, "an account works now", [("account", account.name)])
        }
        tasks.caller.observer.event(
            .error, "an account does not work",
            [("account", account.name), ("problem", problem.kind.rawValue), ("reason", problem.text)])
    }

    /// Saves the believed time, from which the next start continues, whatever the wall clock says then. Logs if the
    /// wall clock has come into doubt, or is believed again.
    func saveClock() async {
        let reading = tasks.clock.reading
        try? await tasks.store.clock.keep(reading.believed)
        let disagreement = reading.disagreement
        let hasChanged = isInDoubt.withLock { isInDoubt in
            defer { isInDoubt = disagreement != 0 }
            return isInDoubt != (disagreement != 0)
        }
        guard hasChanged else { return }
        tasks.caller.observer.event(
            .warning,
            disagreement == 0
                ? "the clock is believed again"
                : "the clock has jumped or the gateway was off: for a day, no record expires by the wall clock",
            [("seconds_ahead", "\(disagreement / 1000)")])
    }

    /// Deletes old records in batches, with pauses that let the writes of clients go first.
    func prune() async {
        let now = tasks.clock.believed
        while !Task.isCancelled {
            let gone = try? await tasks.store.prune(
                tasksFinishedBefore: now - retention.tasks,
                deliveriesFinishedBefore: now - retention.deliveries,
                idempotencyKeysCreatedBefore: now - IdempotencyRecord.lifetime, limit: Self.rows)
            guard let gone, gone >= Self.rows else { return }
            guard await tasks.background.sleep(for: .milliseconds(50)) else { return }
        }
    }
}
