internal import Base
internal import EventLoop
internal import HTTPServer
internal import TaskStore

/// Remembers the creates without an `Idempotency-Key` whose answers cannot have been read, so that a client that
/// resends one gets its answer instead of a second task. See ``ResendLedger``.
///
/// The state is saved in the store ``saveInterval`` after it has changed, so that it survives a crash. A create whose
/// answer was read less than that before the crash counts as unread afterwards. Usable from any thread.
final class Resends: Sendable {
    /// What an arriving create has to do.
    enum Arrival {
        case make(Int, TaskID)
        case attach(Int, TaskID)
        /// Try again when this entry has changed, unless something has changed since `changes`.
        case wait(Int, changes: Int)
        case share(Int?, TaskID)
    }

    private struct State {
        var ledger: ResendLedger
        var waiters: [Int: [Int: CheckedContinuation<Void, Never>]] = [:]
        var lastWaiter = 0
        /// How often any entry has changed.
        var changes = 0
        var isSavePlanned = false
        var attached: UInt64 = 0

        /// Plans to save the state. A large state is saved less often.
        /// - Returns: the delay; nil if a save is already planned.
        mutating func planSave() -> Duration? {
            if isSavePlanned { return nil }
            isSavePlanned = true
            return min(saveInterval * max(1, ledger.count / fewEntries), longestSaveInterval)
        }
    }

    /// How soon a change is saved.
    static let saveInterval = Duration.milliseconds(50)
    /// The saved state grows by 16 bytes per entry. With multiples of this many entries, it is saved less often.
    private static let fewEntries = 2048
    private static let longestSaveInterval = Duration.seconds(1)
    /// The maximum number of creates that are restored after a crash, besides those that the saved state names.
    private static let mostRestored = 10_000

    /// An id that no task has.
    let nothing = TaskID.none
    private let store: any ResendStore
    /// The name under which this server saves its state. Servers that share a store have one each.
    private let server: String
    private let replicas: (any ReplicaStore)?
    private let background: Background
    private let clock: GuardedClock
    private let makeID: @Sendable () -> TaskID
    private let state: Lock<State>

    /// - Parameters:
    ///   - window: how long an unread create is remembered; more than 0.
    ///   - replicas: those that share the store; nil if this server is alone.
    ///   - makeID: makes the ids of tasks.
    init(
        window: Duration, store: any ResendStore, replicas: (any ReplicaStore)? = nil, background: Background,
        clock: GuardedClock,
        makeID: @escaping @Sendable () -> TaskID
    ) {
        self.store = store
        server = Self.name(of: replicas?.number)
        self.replicas = replicas
        self.background = background
        self.clock = clock
        self.makeID = makeID
        state = Lock(State(ledger: ResendLedger(window: window)))
    }

    /// Whether other gateways share the store, or did when an unread create of theirs may be from.
    var isShared: Bool { replicas?.hasSeenOthers(within: state.withLock { $0.ledger.window }) ?? false }

    /// How many creates have attached to an earlier one.
    var attached: UInt64 { state.withLock { $0.attached } }

    // MARK: Entries

    /// How long it may take for the end of a broken connection to arrive after the same content was sent again: a proxy
    /// may close the client's side first.
    private static let grace = Duration.milliseconds(100)

    /// Checks whether the clients of equal creates in progress and the client of `request` are still there. If a
    /// connection has ended, its loop may not have noticed yet, or the end may still be on its way.
    func lookForClients(of key: ResendKey, and request: HTTPRequest) async {
        for pause in [Duration.zero, Self.grace] {
            let others = clientsInDoubt(of: key, and: request)
            if others.isEmpty { return }
            if pause > .zero { try? await request.loop.sleep(for: pause) }
            for other in others + [request.body] { await other.lookForClient() }
        }
    }

    /// The requests of the clients to look for. Usually there are none, and ``lookForClients(of:and:)`` has nothing to
    /// do.
    func clientsInDoubt(of key: ResendKey, and request: HTTPRequest) -> [RequestBody] {
        let doubts = state.withLock { $0.ledger.doubts(key, now: .now) }
        // Only the first request on a connection can have waited to be accepted.
        if doubts.wasRead, request.body.isFirstOnConnection { request.body.checkClientOnLoop() }
        return doubts.others
    }

    /// What other gateways that share the store have made of the same content, newest first, and what the store has to
    /// check when a new task is recorded.
    func creates(elsewhere key: ResendKey) async throws(GatewayError) -> ([ForeignCreate], RivalCreates) {
        let window = state.withLock { $0.ledger.window }
        let since = clock.now - window.nanoseconds / 1_000_000
        do {
            let found = try await store.creates(
                elsewhere: key.tenant, content: key.content, since: since, suspects: replicas?.suspects ?? [])
            return (found, RivalCreates(since: since, seenThrough: found.first?.row ?? 0))
        } catch {
            throw GatewayError(error)
        }
    }

    /// The row of the newest task of all gateways at a time, or of somewhat before.
    func newestTask(at time: MonotonicTime) -> Int64 { replicas?.newestTask(at: time) ?? 0 }

    /// The request of an entry whose client waits.
    func request(of number: Int) -> RequestBody? { state.withLock { $0.ledger.request(of: number) } }

    /// Waits a moment before other gateways are asked again.
    /// - Returns: false if the gateway stops.
    func waitForOthers() async -> Bool { await background.sleep(for: Self.grace) }

    /// Records for all gateways that the answer to an earlier create was read here.
    func wasRead(attachedTo task: TaskID) {
        background.start { [self] in
            while (try? await store.forgetContent(of: task)) == nil {
                guard await background.sleep(for: .seconds(1)) else { return }
            }
        }
    }

    /// Records that the answer to a create of this gateway was read at another one.
    func wasRead(elsewhere task: TaskID) { change { $0.ledger.wasRead(elsewhere: task) } }

    /// Adds an arriving create.
    func arrive(_ key: ResendKey, _ reader: ResendLedger.Reader, _ request: HTTPRequest) -> Arrival {
        var reader = reader
        reader.body = request.body
        return change { state in
            var made: TaskID?
            let arrival = state.ledger.arrive(key, reader, now: .now) {
                let id = makeID()
                made = id
                return id
            }
            switch arrival {
            case .make(let number): return .make(number, made ?? nothing)
            case .attach(let number, let id):
                state.attached += 1
                return .attach(number, id)
            case .share(let number, let id): return .share(number, id)
            case .wait(let number): return .wait(number, changes: state.changes)
            }
        }
    }

    /// Waits until an entry's create is no longer in progress, or until the caller is cancelled.
    func outcome(of number: Int) async {
        while !Task.isCancelled {
            let changes = state.withLock { $0.ledger.isInProgress(number) ? $0.changes : nil }
            guard let changes else { return }
            await change(of: number, since: changes)
        }
    }

    /// Records an event of an entry, and wakes the requests that wait for it.
    func note(_ number: Int, _ event: (inout ResendLedger, MonotonicTime) -> Void) {
        let waiters = change { state in
            event(&state.ledger, .now)
            state.changes += 1
            return state.waiters.isEmpty ? nil : state.waiters.removeValue(forKey: number)
        }
        guard let waiters else { return }
        for waiter in waiters.values { waiter.resume() }
    }

    /// Gives an entry a new task; nil if the entry no longer exists.
    func startOver(_ number: Int) -> TaskID? {
        change { state in state.ledger.startOver(number, makeID: makeID) }
    }

    /// Waits until an entry changes, or until the caller is cancelled. Returns at once if any entry has changed since
    /// `changes`.
    func change(of number: Int, since changes: Int) async {
        let ticket = state.withLock { state in
            state.lastWaiter += 1
            state.ledger.wait(for: number, 1)
            return state.lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isOver = state.withLock { state in
                    if state.changes != changes || Task.isCancelled { return true }
                    state.waiters[number, default: [:]][ticket] = waiter
                    return false
                }
                if isOver { waiter.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters[number]?.removeValue(forKey: ticket) }?.resume()
        }
        state.withLock { $0.ledger.wait(for: number, -1) }
    }

    private func change<Result>(_ body: (inout State) -> Result) -> Result {
        let (result, pause) = state.withLock { state in (body(&state), state.planSave()) }
        if let pause { saveLater(after: pause) }
        return result
    }

    // MARK: The store

    /// Restores what the previous process left. Call it before the gateway serves requests.
    func restore() async throws(StoreError) { try await restore(from: server) }

    /// Adds what another server has left, whose tasks now belong to this one.
    /// - Parameter ids: the tasks that it may not have saved yet; nil: all of this server's, which has made none itself.
    func inherit(from replica: Int64, among ids: Set<TaskID>? = nil) async throws(StoreError) {
        try await restore(from: Self.name(of: replica), among: ids)
        // Until they are in this server's own list, they count as read for the others, and for who takes over from it.
        await save()
    }

    private static func name(of replica: Int64?) -> String { replica.map(String.init) ?? "main" }

    private func restore(from server: String, among ids: Set<TaskID>? = nil) async throws(StoreError) {
        let left = try await store.unread(server: server)
        let saved = Set(left?.tasks ?? [])
        let records = try await store.creates(leftBy: left, limit: Self.mostRestored)
        let now = MonotonicTime.now
        state.withLock { state in
            for record in records {
                guard let content = record.content, saved.contains(record.id) || ids?.contains(record.id) ?? true
                else { continue }
                let age = clock.age(since: record.createdAt)
                guard age < state.ledger.window else { continue }
                let key = ResendKey(tenant: record.tenant, content: content)
                state.ledger.restore(key, record.id, until: now + (state.ledger.window - age))
            }
        }
    }

    private func saveLater(after pause: Duration) {
        background.start { [self] in
            guard await background.sleep(for: pause) else { return }
            await save()
        }
    }

    private func save() async {
        state.withLock { $0.isSavePlanned = false }
        do {
            try await store.saveUnread(
                { [self] in state.withLock { UnreadTasks(all: $0.ledger.tasks, open: $0.ledger.openTasks) } },
                server: server, at: clock.now)
        } catch {
            // Retry soon: an answer that is read just after the store is back must be recorded before a crash.
            if let pause = state.withLock({ $0.planSave() }) { saveLater(after: pause) }
        }
    }

    /// Saves the state a last time. Call it after the server has stopped.
    func stop() async { await save() }
}
