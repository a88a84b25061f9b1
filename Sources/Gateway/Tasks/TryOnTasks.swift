internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// The life of tasks between clients, the store and Kling: created here, queried here, listed here, and brought to their
/// end whether somebody waits or not.
final class TryOnTasks: Sendable {
    /// What it is told to do.
    struct Options: Sendable {
        /// How old what is said of an unfinished task may be.
        var freshness: Duration = .seconds(1)
        /// How long a create waits for a free account before it is queued.
        var dispatchWait: Duration = .seconds(1)
        /// What clients and Kling reach the gateway by; nil: Kling is given no callback address.
        var publicURL: String?
        /// For how long a create is remembered whose answer cannot have been read; zero: not at all.
        var resendWindow: Duration = .seconds(600)
        /// The file of ``ToldIDs``; nil: there is none.
        var toldPath: String?
    }

    let options: Options
    let store: any TaskStore
    let caller: KlingCaller
    let accounts: Accounts
    /// Creates that wait for an account longer than their clients do; nil: there is no queue.
    let queue: TaskQueue?
    let watcher: Watcher
    /// Delivers callbacks; nil: nobody is called.
    let courier: Courier?
    let callbackTokens: CallbackTokens
    /// Works on pictures for accounts that want them otherwise than clients send them; nil: they are left alone.
    let pictures: PictureService?
    /// Serves pictures to Kling, each while its task is at work; nil: it is given none.
    let hosted: HostedPictures?
    let clock: GuardedClock
    let cache: TaskCache
    let running = RunningTasks()
    /// Remembers creates whose answers were not read; nil: nothing is remembered.
    let resends: Resends?
    /// Wakes whoever waits for the end of tasks.
    let ends = TaskEnds()
    /// Jobs, by their first tasks, whose requests are being answered.
    let answering = Lock<Set<TaskID>>([])
    /// What clients were told that the store does not say.
    let told: ToldIDs
    /// What goes on when no client waits: look-ups, the queue. On the loop that was given.
    let background: Background
    /// How many creates are under way, counted from the intent to the answer.
    let openCreates = Lock(0)
    /// How many tasks were stuck or of unknown outcome when they were last counted.
    let flagged = Lock(0)
    let ids: Lock<TaskIDGenerator>

    /// How long a query waits for Kling.
    static let refreshTime: Duration = .seconds(3)
    /// How long a list, or a look-up of an open create, waits for Kling.
    static let listTime: Duration = .seconds(2)

    init(
        options: Options, store: any TaskStore, caller: KlingCaller, accounts: Accounts, queue: TaskQueue?,
        courier: Courier?, callbackTokens: CallbackTokens, pictures: PictureService? = nil,
        hosted: HostedPictures? = nil, clock: GuardedClock = GuardedClock(), cache: TaskCache, watcher: Watcher,
        loop: EventLoop
    ) {
        self.options = options
        told = ToldIDs(path: options.toldPath)
        self.store = store
        self.caller = caller
        self.accounts = accounts
        self.queue = queue
        self.courier = courier
        self.callbackTokens = callbackTokens
        self.pictures = pictures
        self.hosted = hosted
        self.clock = clock
        self.cache = cache
        self.watcher = watcher
        let background = Background(loop: loop)
        let ids = Lock(TaskIDGenerator())
        (self.background, self.ids) = (background, ids)
        resends =
            options.resendWindow > .zero
            ? Resends(window: options.resendWindow, store: store, background: background, clock: clock) {
                ids.withLock { $0.next(at: clock.now) }
            } : nil
    }

    /// A new gateway id.
    func makeID() -> TaskID {
        ids.withLock { $0.next(at: clock.now) }
    }

    /// Where Kling shall call for a task; nil: nowhere.
    func callbackURL(of id: TaskID) -> String? {
        options.publicURL.map { callbackTokens.url(publicURL: $0, task: id) }
    }

    // MARK: What Kling says

    /// Notes what Kling says of a task that it has.
    func observe(_ task: TaskObject, of record: TaskRecord) async throws(StoreError) -> TaskRecord {
        let word = task.status?.rawValue ?? ""
        let state = TaskState(task.status)
        let json = Array(task.json)
        if state == record.state || state == nil, word == record.statusWord, json == record.answer {
            watcher.seen(record.id, .unfinished)
            return record
        }
        let observation = Observation(state: state, statusWord: word, answer: json, at: clock.now)
        let observed = try await store.observe(record.id, observation)
        follow(observed)
        return observed
    }

    /// Notes that Kling has a task, as it said in `answer`.
    func accept(
        _ task: TaskObject, in answer: KlingAnswer, upstreamID: String, _ id: TaskID
    ) async throws(StoreError) -> TaskRecord {
        let publicID = told.contains(id) ? id.description : upstreamID
        let acceptance = Acceptance(
            upstreamID: upstreamID, publicID: publicID, state: TaskState(task.status) ?? .submitted,
            statusWord: task.status?.rawValue ?? "", answer: Array(task.json), at: clock.now)
        let record = try await store.accept(id, acceptance) {
            StoredAnswer(status: 200, body: answer.relayed(data: TaskView.json($0)))
        }
        follow(record)
        return record
    }

    /// Ends a task that Kling never had: unseen, if no client knows of it, else as failed, for the reason given. One that
    /// Kling was found to have meanwhile goes on.
    /// - Parameter answer: what its `Idempotency-Key` answers from now on; nil frees the key.
    func end(_ id: TaskID, because reason: String, answer: StoredAnswer? = nil) async throws(StoreError) {
        try await keepTelling(id)
        let record = try await store.endUnmade(id, because: reason, at: clock.now, answer: answer)
        if record.state == .refused { forget(id) } else { follow(record) }
    }

    /// Keeps everything in memory in step with a record that has changed: slots, watching, the cache, deliveries.
    func follow(_ record: TaskRecord) {
        if let publicID = record.publicID {
            told.remove(record.id)
            cache.update(TaskCache.Key(tenant: record.tenant, id: publicID), record, now: .now)
        }
        if record.callbackURL != nil || record.job != nil { courier?.kick() }
        if record.state.isFinal {
            if let account = record.account { accounts.settled(record.id, on: account, .ended) }
            watcher.seen(record.id, .ended)
            forget(record.id)
        } else if let account = account(of: record)?.name, let upstreamID = record.upstreamID {
            let isAwaited = record.isAwaited || accounts.hasLimit(account)
            watcher.watch(WatchedTask(record, isAwaited: isAwaited, clock), upstreamID: upstreamID, of: account)
        }
    }

    /// Kling was heard to say something of a task, by whatever way.
    func heard(_ object: TaskObject, of id: TaskID) async -> TaskProgress {
        do throws(StoreError) {
            guard let record = try await store.task(id), !record.state.isFinal else { return .ended }
            return try await observe(object, of: record).state.isFinal ? .ended : .unfinished
        } catch {
            couldNotRecord("what Kling said of a task could not be recorded", id, error)
            return .unfinished
        }
    }

    /// Nothing is known any more of a task that has ended.
    func forget(_ id: TaskID) {
        told.remove(id)
        running.finish(id)
        queue?.forget(id)
        hosted?.end(of: id)
        ends.ended(id)
    }

    /// A task was found to have ended by somebody else's doing.
    func forgetEnded(_ id: TaskID) async {
        if let record = try? await store.task(id), record.state.isFinal { follow(record) }
        queue?.forget(id)
    }

    /// Tells the operator of something that could not be recorded.
    func couldNotRecord(_ what: StaticString, _ id: TaskID, _ error: StoreError) {
        caller.observer.event(.error, what, [("task", id.description), ("reason", error.detail)])
    }
}

extension TaskRecord.Fields {
    /// Whether something waits for the task's end without asking for it: a callback, a held answer to a job, or the
    /// next create of a key that may run only so many. Who was put off with an id asks, and each question is a look.
    fileprivate var isAwaited: Bool { callbackURL != nil || keyID != nil || job != nil }
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
    /// The store did not do what it was asked. Details stay in the log.
    init(_ error: StoreError) {
        switch error.code {
        case .externalTaskIDInUse:
            self.init(
                .badParameter,
                "external_task_id is in use by another task of yours. Send another one, or query that task.",
                parameter: "external_task_id")
        case .idempotencyKeyInUse: self = .idempotencyKeyOpen
        case .tooManyJobs:
            self.init(.runningTasks, "As many jobs run as maxJobs allows. Wait until one has ended.")
        default:
            self.init(.storeUnavailable, "The gateway cannot reach its store. Send the request again in a few seconds.")
        }
    }
}
