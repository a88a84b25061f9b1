internal import KlingAPI

/// Kling's side of virtual try-on, as a value: requests of verified accounts and the time go in, answers come out.
///
/// It does no I/O and needs no timers: a task's state depends on the time alone. The same seed, requests and times give
/// the same answers.
struct SimulatedKling: Sendable {
    /// How long tasks and their pictures are kept, in milliseconds.
    static let retention = 30 * 24 * 60 * 60 * 1000

    /// The parameters of the platform.
    struct Rules: Sendable {
        var seed: UInt64 = 0
        /// How long tasks take, in milliseconds.
        var duration: ClosedRange<Int> = 8_000...15_000
        /// The accounts, by their numbers. Requests are already authenticated, so the keys do not matter here.
        var accounts: [SimulatedAccount]
    }

    /// The state of one account.
    struct Account {
        fileprivate let rules: SimulatedAccount
        var name: String { rules.name }
        /// Ids of its tasks, oldest first.
        fileprivate(set) var order: [String] = []
        /// The newest task of each external id, by the API that created it.
        fileprivate var taskOfExternalID: [SimulatedDialect: [String: String]] = [:]
        /// When each task that holds a slot releases it; empty if slots are not limited.
        fileprivate var ends: [Int] = []
        /// How often creates asked for a faulty answer, by external id.
        fileprivate var instructedFaults: [String: Int] = [:]

        /// The task that already uses an external id. The APIs share their external ids.
        fileprivate func taskOfExternalID(_ id: String) -> String? {
            SimulatedDialect.allCases.lazy.compactMap { taskOfExternalID[$0]?[id] }.first
        }
    }

    private let duration: ClosedRange<Int>
    private var generator: SeededGenerator
    private(set) var accounts: [Account]
    private(set) var tasks: [String: SimulatedTask] = [:]
    private var callbacks = CallbackQueue()

    init(_ rules: Rules) {
        generator = SeededGenerator(seed: rules.seed)
        duration = rules.duration
        accounts = rules.accounts.map { Account(rules: $0) }
    }

    /// A new request id for an answer.
    mutating func requestID() -> String { generator.uuid() }

    /// An id that no task has.
    mutating func unusedID() -> String {
        var id = generator.taskID()
        while tasks[id] != nil { id = generator.taskID() }
        return id
    }

    /// Decides at random whether an event of this probability happens.
    mutating func happens(_ probability: Double) -> Bool {
        probability >= 1 || Double.random(in: 0..<1, using: &generator) < probability
    }

    // MARK: Requests

    /// Makes a task.
    mutating func create(
        _ request: CreateRequest, by dialect: SimulatedDialect, account: Int, now: Int
    ) throws(SimulatedRefusal) -> SimulatedTask {
        forgetExpired(account, now)
        try checkExternalID(request.externalTaskID, account)
        try checkSlots(account, now)
        let task = makeTask(request, dialect, accounts[account].name, now)
        store(task, account)
        if accounts[account].rules.concurrency != nil { accounts[account].ends.append(task.endsAt) }
        if task.callbackURL != nil { callbacks.add(task) }
        return task
    }

    /// Adds a task of another solution.
    mutating func add(_ foreign: ForeignTask, account: Int, now: Int) throws(SimulatedRefusal) -> SimulatedTask {
        forgetExpired(account, now)
        try checkExternalID(foreign.externalTaskID, account)
        let id = foreign.id ?? unusedID()
        guard tasks[id] == nil else { throw .parameter("id already exists") }
        let task = SimulatedTask(
            id: id, externalTaskID: foreign.externalTaskID, account: accounts[account].name, callbackURL: nil,
            dialect: .solutions, personURL: nil, garmentURL: nil, settings: nil, hasWatermark: false,
            foreignType: foreign.outputType, outcome: .succeed, failure: nil, createdAt: now,
            processingAt: now + foreign.duration / 4, endsAt: now + foreign.duration)
        store(task, account)
        return task
    }

    private mutating func store(_ task: SimulatedTask, _ account: Int) {
        tasks[task.id] = task
        accounts[account].order.append(task.id)
        guard let externalID = task.externalTaskID else { return }
        accounts[account].taskOfExternalID[task.dialect, default: [:]][externalID] = task.id
    }

    /// Finds a task by its id or its external id; if several share an external id, the newest.
    /// - Parameter fault: what goes wrong with the search, if anything.
    mutating func query(
        _ name: TaskName, account: Int, now: Int, _ fault: SearchFault? = nil
    ) -> SimulatedTask? {
        forgetExpired(account, now)
        let own = name.kind == .external ? nil : tasks[name.text]
        let isOwnID = own?.account == accounts[account].name && own?.dialect == name.dialect
        var found = isOwnID ? own : taskOfExternalID(name, account, now, lag: fault?.lag ?? 0)
        if let taskID = found?.id {
            tasks[taskID]?.queries += 1
            found = tasks[taskID]
        }
        guard case .stranger(let stranger) = fault else { return found }
        return substitute(stranger, in: found, isOwnID ? .own : .external, name.dialect, account, now)
    }

    private func taskOfExternalID(_ name: TaskName, _ account: Int, _ now: Int, lag: Int) -> SimulatedTask? {
        guard name.kind != .own, accounts[account].rules.hasLookup,
            let taskID = accounts[account].taskOfExternalID[name.dialect]?[name.text], let task = tasks[taskID],
            task.createdAt + lag <= now
        else { return nil }
        return task
    }

    /// What a query with a `stranger` fault returns in place of what it found.
    private mutating func substitute(
        _ stranger: SearchFault.Stranger, in found: SimulatedTask?, _ kind: TaskName.Kind,
        _ dialect: SimulatedDialect, _ account: Int, _ now: Int
    ) -> SimulatedTask? {
        let other = newestFirst(dialect, account, now).first { $0.id != found?.id }
        var shown = other ?? someTask(dialect, account, now)
        switch stranger {
        case .another: break
        case .unnamed: shown.externalTaskID = nil
        case .renumbered:
            // A query by the external id could not notice the difference, so it gets the right answer.
            guard kind == .own, let found else { return found }
            shown.externalTaskID = found.externalTaskID
        }
        return shown
    }

    /// A made-up task, which is not stored.
    private mutating func someTask(_ dialect: SimulatedDialect, _ account: Int, _ now: Int) -> SimulatedTask {
        SimulatedTask(
            id: generator.taskID(), externalTaskID: "somebody-elses-order", account: accounts[account].name,
            callbackURL: nil, dialect: dialect, personURL: nil, garmentURL: nil, settings: nil, hasWatermark: false,
            outcome: .succeed, failure: nil, createdAt: now - 2, processingAt: now - 1, endsAt: now)
    }

    /// The tasks of one API that are at least `lag` milliseconds old, newest first.
    func newestFirst(
        _ dialect: SimulatedDialect, _ account: Int, _ now: Int, lag: Int = 0
    ) -> some Sequence<SimulatedTask> {
        accounts[account].order.reversed().lazy.compactMap { tasks[$0] }
            .filter { $0.dialect == dialect && $0.createdAt + lag <= now }
    }

    /// A page of the account's tasks, newest first.
    /// - Parameter fault: what goes wrong with the search, if anything.
    mutating func list(
        _ page: ListPage, account: Int, now: Int, _ fault: SearchFault? = nil
    ) -> [SimulatedTask] {
        forgetExpired(account, now)
        let tasks = newestFirst(.kolors, account, now, lag: fault?.lag ?? 0)
        return Array(tasks.dropFirst((page.number - 1) * page.size).prefix(page.size))
    }

    /// The task that a picture belongs to, if the picture exists at `now`.
    func finishedTask(_ id: String, now: Int) -> SimulatedTask? {
        guard let task = tasks[id], task.status(at: now) == .succeed, now < task.createdAt + Self.retention else {
            return nil
        }
        return task
    }

    /// How many of an account's try-on tasks are unfinished at `now`.
    func running(account: Int, now: Int) -> Int {
        accounts[account].order.count { tasks[$0].map { $0.endsAt > now && $0.foreignType == nil } ?? false }
    }

    /// Every try-on task that is kept, oldest first within each account.
    var allTasks: [SimulatedTask] {
        accounts.flatMap { account in account.order.compactMap { tasks[$0] }.filter { $0.foreignType == nil } }
    }

    /// Whether the fault that a create asks for still happens. Each call counts as one create.
    mutating func consumeRequestedFault(_ request: CreateRequest, account: Int) -> Bool {
        guard request.instructions.fault != nil, [nil, accounts[account].name].contains(request.instructions.account)
        else {
            return false
        }
        guard let externalID = request.externalTaskID else { return true }
        accounts[account].instructedFaults[externalID, default: 0] += 1
        return accounts[account].instructedFaults[externalID, default: 0] <= request.instructions.times
    }

    // MARK: Callbacks

    /// When the next callback is due, in milliseconds since 1970.
    var nextDeadline: Int? { callbacks.nextDeadline }

    /// Removes and returns the callbacks that are due at `now`, in order of time.
    mutating func dueCallbacks(now: Int) -> [DueCallback] {
        var due: [DueCallback] = []
        while let next = callbacks.take(now: now) {
            if let task = tasks[next.taskID] {
                due.append(DueCallback(task: task, changedAt: next.changedAt, due: next.due))
            }
        }
        return due
    }

    /// Puts a callback back that was removed, to be due `delay` milliseconds later.
    mutating func postpone(_ callback: DueCallback, by delay: Int) {
        callbacks.add(
            CallbackQueue.Entry(due: callback.due + delay, taskID: callback.task.id, changedAt: callback.changedAt))
    }

    // MARK: -

    private mutating func checkSlots(_ account: Int, _ now: Int) throws(SimulatedRefusal) {
        guard let limit = accounts[account].rules.concurrency else { return }
        accounts[account].ends.removeAll { $0 <= now }
        guard accounts[account].ends.count < limit else {
            throw SimulatedRefusal(.concurrencyExceeded, "parallel task over resource pack limit")
        }
    }

    private mutating func checkExternalID(_ id: String?, _ account: Int) throws(SimulatedRefusal) {
        guard accounts[account].rules.isUnique, let id, let known = accounts[account].taskOfExternalID(id) else {
            return
        }
        tasks[known]?.creates += 1
        throw .parameter("external_task_id already exists")
    }

    private mutating func makeTask(
        _ request: CreateRequest, _ dialect: SimulatedDialect, _ account: String, _ now: Int
    ) -> SimulatedTask {
        let id = unusedID()
        let drawn = Int.random(in: duration, using: &generator)
        let duration = request.instructions.duration ?? drawn
        return SimulatedTask(
            id: id, externalTaskID: request.externalTaskID, account: account, callbackURL: request.callbackURL,
            dialect: dialect, personURL: request.personURL, garmentURL: request.garmentURL,
            settings: dialect == .solutions ? request.settings : nil, hasWatermark: request.hasWatermark,
            outcome: request.instructions.outcome,
            failure: request.instructions.outcome == .failed ? request.instructions.message : nil,
            urlBytes: request.instructions.urlBytes, createdAt: now, processingAt: now + duration / 4,
            endsAt: now + duration)
    }

    mutating func forgetExpired(_ account: Int, _ now: Int) {
        let expired = accounts[account].order.prefix { tasks[$0].map { $0.createdAt + Self.retention <= now } ?? true }
        guard !expired.isEmpty else { return }
        for id in expired {
            guard let task = tasks.removeValue(forKey: id), let externalID = task.externalTaskID else { continue }
            if accounts[account].taskOfExternalID[task.dialect]?[externalID] == id {
                accounts[account].taskOfExternalID[task.dialect]?[externalID] = nil
            }
            accounts[account].instructedFaults[externalID] = nil
        }
        accounts[account].order.removeFirst(expired.count)
    }
}

/// A change of a task that is due to be reported to its creator.
struct DueCallback: Sendable, Hashable {
    let task: SimulatedTask
    /// When the task changed, in milliseconds since 1970. The callback reports the state at that time.
    let changedAt: Int
    /// When the callback was due, in milliseconds since 1970.
    let due: Int

    /// Whether it was postponed before.
    var isPostponed: Bool { due > changedAt }
}
