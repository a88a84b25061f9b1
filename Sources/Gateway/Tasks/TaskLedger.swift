internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// Records what happens to tasks, and updates everything in memory after a record has changed.
final class TaskLedger: Sendable {
    let store: any TaskStore
    let accounts: Accounts
    /// Holds creates that wait for an account; nil: there is no queue.
    let queue: TaskQueue?
    let watcher: Watcher
    /// Delivers callbacks; nil: no callbacks are sent.
    let callbackDelivery: CallbackDelivery?
    /// Serves pictures to Kling while their tasks run; nil: no pictures are hosted.
    let hosted: (any PictureHost)?
    let cache: TaskCache
    let clock: GuardedClock
    /// What tasks take up.
    let quota = TaskQuota()
    /// Wakes callers that wait for tasks to end.
    let ends = TaskEnds()
    /// The creates that a crash has left open.
    let openAtStart = CreatesOpenAtStart()
    /// The ids that clients were told but that the store could not record.
    let unsavedPublicIDs: UnsavedPublicIDs
    /// Runs work that no client waits for, on the loop it was given.
    let background: Background
    let observer: any GatewayObserver
    private let ids = Lock(TaskIDGenerator())

    /// - Parameter unsavedPublicIDsPath: the file of ``UnsavedPublicIDs``; nil: there is none.
    init(
        store: any TaskStore, accounts: Accounts, queue: TaskQueue?, watcher: Watcher,
        callbackDelivery: CallbackDelivery?,
        hosted: (any PictureHost)?, cache: TaskCache, clock: GuardedClock, unsavedPublicIDsPath: String?,
        background: Background,
        observer: any GatewayObserver
    ) {
        (self.store, self.accounts, self.queue, self.watcher) = (store, accounts, queue, watcher)
        (self.callbackDelivery, self.hosted, self.cache, self.clock) = (callbackDelivery, hosted, cache, clock)
        (self.background, self.observer) = (background, observer)
        unsavedPublicIDs = UnsavedPublicIDs(path: unsavedPublicIDsPath)
    }

    /// Counts the running tasks of keys and tenants.
    var running: RunningTasks { quota.running }

    // MARK: Ids

    /// Makes a new task id.
    func makeID() -> TaskID { ids.withLock { $0.next(at: clock.now) } }

    /// Makes all later ids greater than `id`.
    func raiseIDs(above id: TaskID) { ids.withLock { $0.rise(above: id, at: clock.now) } }

    // MARK: What Kling says

    /// Records what Kling says about a task that it has accepted.
    func observe(_ task: TaskObject, of record: TaskRecord) async throws(StoreError) -> TaskRecord {
        let word = task.status?.rawValue ?? ""
        let state = TaskState(task.status)
        let json = Array(task.json)
        if state == record.state || state == nil, word == record.statusWord, json == record.answer {
            watcher.seen(record.id, .unfinished)
            return record
        }
        let observation = Observation(
            state: state, statusWord: word, answer: json, charge: Charge(task), at: clock.now)
        let observed = try await store.observe(record.id, observation)
        follow(observed)
        return observed
    }

    /// Records that Kling has accepted a task, as its `answer` says.
    /// - Parameter account: the account that has the task.
    func accept(
        _ task: TaskObject, in answer: KlingAnswer, upstreamID: String, _ id: TaskID, by account: Account
    ) async throws(StoreError) -> TaskRecord {
        let acceptance = Acceptance(
            upstreamID: upstreamID, publicID: upstreamID, state: TaskState(task.status) ?? .submitted,
            statusWord: task.status?.rawValue ?? "", answer: Array(task.json), charge: Charge(task), at: clock.now)
        let record = try await store.accept(
            id, acceptance, ownID: unsavedPublicIDs.contains,
            isRecoverable: account.capabilities.hasLookup == true
        ) {
            StoredAnswer(status: 200, body: answer.relayed(data: TaskView.json($0)))
        }
        follow(record, of: account)
        return record
    }

    /// Records what Kling says about a task, from any source.
    func recordObservation(_ object: TaskObject, of id: TaskID) async -> TaskProgress {
        do throws(StoreError) {
            guard let record = try await store.task(id), !record.state.isFinal else { return .ended }
            return try await observe(object, of: record).state.isFinal ? .ended : .unfinished
        } catch {
            couldNotRecord("what Kling said about a task could not be recorded", id, error)
            return .unfinished
        }
    }

    // MARK: Ends

    /// Ends a task that Kling never had. If no client knows the task, it disappears; otherwise it fails with the given
    /// reason. A task that was found at Kling in the meantime is left running.
    /// - Parameter answer: what its `Idempotency-Key` answers from now on; nil frees the key.
    func end(_ id: TaskID, because reason: String, answer: StoredAnswer? = nil) async throws(StoreError) {
        try await savePublicID(of: id)
        let record = try await store.endUnmade(id, because: reason, at: clock.now, answer: answer)
        if record.state == .refused { forget(id) } else { follow(record) }
    }

    /// Ends a task that Kling never had, and retries for as long as the store is unavailable.
    func endWithRetry(_ id: TaskID, because reason: String, answer: StoredAnswer? = nil) async {
        while !Task.isCancelled {
            do throws(StoreError) {
                return try await end(id, because: reason, answer: answer)
            } catch {
                if error.code == .notFound { return forget(id) }
                couldNotRecord("a task that was not made could not be ended", id, error)
                guard await background.sleep(for: .seconds(5)) else { return }
            }
        }
    }

    /// Ends a task whose create was not made, so that the client can use its `external_task_id` again. If the store is
    /// unavailable, this continues in the background.
    func giveUp(_ id: TaskID, because reason: String, answer: StoredAnswer? = nil) async {
        running.finish(id)
        do {
            try await end(id, because: reason, answer: answer)
        } catch {
            couldNotRecord("a refused task could not be recorded", id, error)
            background.start { [self] in await endWithRetry(id, because: reason, answer: answer) }
        }
    }

    // MARK: Following a record

    /// Updates everything in memory after a record has changed: slots, watching, the cache, deliveries.
    /// - Parameter account: the one that has the name in the record; nil: it is looked up.
    func follow(_ record: TaskRecord, of account: Account? = nil) {
        if let publicID = record.publicID {
            unsavedPublicIDs.remove(record.id)
            cache.update(TaskCache.Key(tenant: record.tenant, id: publicID), record, now: .now)
        }
        if record.upstreamID != nil { openAtStart.remove(record.id) }
        if record.callbackURL != nil || record.job != nil { callbackDelivery?.kick() }
        if record.state.isFinal {
            if let account = record.account { accounts.settled(record.id, on: account, .ended) }
            watcher.seen(record.id, .ended)
            quota.prices.learn(from: record)
            forget(record.id)
        } else if !record.isForeign, let upstreamID = record.upstreamID,
            let account = (account.map { AccountMatch(record, $0) } ?? match(of: record)).account?.name
        {
            let isAwaited = record.isAwaited || running.has(record.id) || accounts.hasLimit(account)
            watcher.watch(WatchedTask(record, isAwaited: isAwaited, clock), upstreamID: upstreamID, of: account)
        }
    }

    /// Drops everything in memory about a task that has ended.
    func forget(_ id: TaskID) {
        openAtStart.remove(id)
        unsavedPublicIDs.remove(id)
        running.finish(id)
        queue?.forget(id)
        hosted?.end(of: id)
        ends.ended(id)
    }

    /// Catches up with a task that something else has ended, such as an operator's command.
    func forgetEnded(_ id: TaskID) async {
        if let record = try? await store.task(id), record.state.isFinal { follow(record) }
        queue?.forget(id)
    }

    /// Logs a change that could not be recorded.
    func couldNotRecord(_ what: StaticString, _ id: TaskID, _ error: StoreError) {
        observer.event(.error, what, [("task", id.description), ("reason", error.detail)])
    }
}

extension TaskRecord {
    /// Whether something waits for the task's end without polling for it: a callback, or a held answer to a job. A client
    /// that was given an id polls, and each poll refreshes the task.
    fileprivate var isAwaited: Bool { self.callbackURL != nil || self.job != nil }

    /// Whether the task ended without Kling ever having it, so that nothing was charged.
    var wasNeverMade: Bool { self.state.isFinal && self.upstreamID == nil }
}

extension WatchedTask {
    /// A task that Kling has.
    init(_ record: TaskRecord, isAwaited: Bool, _ clock: GuardedClock) {
        self.init(
            id: record.id, isAwaited: isAwaited, quietFor: clock.age(since: record.updatedAt),
            isStuck: record.flags.contains(.stuck))
    }
}

extension GatewayError {
    /// The store failed. Details go to the log only.
    init(_ error: StoreError) {
        switch error.code {
        case .externalTaskIDInUse:
            self.init(
                .badParameter,
                "external_task_id is in use by another task of yours. Send another one, or query that task.",
                parameter: "external_task_id")
        case .idempotencyKeyInUse: self = .idempotencyKeyOpen
        case .tooManyJobs:
            self.init(.runningTasks, "As many jobs as maxJobs allows are running. Wait until one has ended.")
        default:
            self.init(.storeUnavailable, "The gateway cannot reach its store. Send the request again in a few seconds.")
        }
    }
}
