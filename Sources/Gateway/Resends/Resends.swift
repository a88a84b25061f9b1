internal import Base
internal import EventLoop
internal import HTTPServer
internal import TaskStore

/// Remembers the creates without an `Idempotency-Key` whose answers cannot have been read, so that a client that sends the
/// same again gets the answer and not another task. See ``ResendLedger``.
///
/// What is known is kept in the store ``keepInterval`` after it has changed, so that it outlives a crash: a create whose
/// answer was read less than that before counts as unread then. From any thread.
final class Resends: Sendable {
    /// What a create that has arrived is to do.
    enum Arrival {
        case make(Int, TaskID)
        case attach(Int, TaskID)
        /// Look again when that entry has changed, if it has not since so many changes.
        case wait(Int, changes: Int)
        case share(Int?, TaskID)
    }

    private struct State {
        var ledger: ResendLedger
        var waiters: [Int: [Int: CheckedContinuation<Void, Never>]] = [:]
        /// The requests of the entries whose clients wait, by their bodies.
        var requests: [Int: RequestBody] = [:]
        var lastWaiter = 0
        /// How often an entry has changed.
        var changes = 0
        var isKeepingDue = false
        var attached: UInt64 = 0

        /// - Returns: after what time all this is to be kept; nil if that is planned already. What is large is kept more
        ///   seldom.
        mutating func planKeeping() -> Duration? {
            if isKeepingDue { return nil }
            isKeepingDue = true
            return min(keepInterval * max(1, ledger.count / fewEntries), longestKeepInterval)
        }
    }

    /// How soon what has changed is kept.
    static let keepInterval = Duration.milliseconds(50)
    /// What is kept grows by 16 bytes an entry: so many of them and more are kept more seldom.
    private static let fewEntries = 2048
    private static let longestKeepInterval = Duration.seconds(1)
    /// Under which name a server keeps it. Several that share a store have one each.
    private static let server = "main"
    /// How many creates of a crashed server are taken up at most, besides those that it has named.
    private static let mostRestored = 10_000

    /// No task's id.
    let nothing = TaskID.none
    private let store: any TaskStore
    private let background: Background
    private let clock: GuardedClock
    private let makeID: @Sendable () -> TaskID
    private let state: Lock<State>

    /// - Parameters:
    ///   - window: for how long an unread create is remembered; more than 0.
    ///   - makeID: makes the ids of tasks.
    init(
        window: Duration, store: any TaskStore, background: Background, clock: GuardedClock,
        makeID: @escaping @Sendable () -> TaskID
    ) {
        self.store = store
        self.background = background
        self.clock = clock
        self.makeID = makeID
        state = Lock(State(ledger: ResendLedger(window: window)))
    }

    /// How many creates have attached to an earlier one.
    var attached: UInt64 { state.withLock { $0.attached } }

    // MARK: Entries

    /// How long the end of a connection may take that was broken before the same content came again: a proxy may close the
    /// client's side first.
    private static let grace = Duration.milliseconds(100)

    /// Looks whether the clients are still there whose equal creates are being answered, as well as the client of `request`:
    /// where a connection has ended, its loop may not have got to it yet, or the end may still be on its way.
    func lookForClients(of key: ResendKey, and request: HTTPRequest) async {
        for pause in [Duration.zero, Self.grace] {
            let (others, wasRead) = state.withLock { state in
                let doubts = state.ledger.doubts(key, now: .now)
                return (doubts.others.compactMap { state.requests[$0] }, doubts.wasRead)
            }
            // On a connection that goes on nothing has waited to be taken up.
            if wasRead, request.body.isFirstOnConnection { request.body.lookForClientHere() }
            if others.isEmpty { return }
            if pause > .zero { try? await request.loop.sleep(for: pause) }
            for other in others + [request.body] { await other.lookForClient() }
        }
    }

    /// A create has come.
    func arrive(_ key: ResendKey, _ reader: ResendLedger.Reader, _ request: HTTPRequest) -> Arrival {
        change { state in
            var made: TaskID?
            let arrival = state.ledger.arrive(key, reader, now: .now) {
                let id = makeID()
                made = id
                return id
            }
            switch arrival {
            case .make(let number):
                state.requests[number] = request.body
                return .make(number, made ?? nothing)
            case .attach(let number, let id):
                state.requests[number] = request.body
                state.attached += 1
                return .attach(number, id)
            case .share(let number, let id): return .share(number, id)
            case .wait(let number): return .wait(number, changes: state.changes)
            }
        }
    }

    /// The client of an entry's request has its answer, or has left, or nothing was made for it.
    func end(_ number: Int, _ event: (inout ResendLedger, MonotonicTime) -> Void) {
        note(number, isOver: true, event)
    }

    /// Waits until it is known what the create of an entry comes to, or until the caller is cancelled.
    func outcome(of number: Int) async {
        while !Task.isCancelled {
            let changes = state.withLock { $0.ledger.isAtWork(number) ? $0.changes : nil }
            guard let changes else { return }
            await change(of: number, since: changes)
        }
    }

    /// Something has happened to an entry.
    /// - Parameter isOver: whether nobody waits for its answer any more.
    func note(_ number: Int, isOver: Bool = false, _ event: (inout ResendLedger, MonotonicTime) -> Void) {
        let waiters = change { state in
            event(&state.ledger, .now)
            state.changes += 1
            if isOver { state.requests[number] = nil }
            return state.waiters.isEmpty ? nil : state.waiters.removeValue(forKey: number)
        }
        guard let waiters else { return }
        for waiter in waiters.values { waiter.resume() }
    }

    /// An entry gets another task; nil if the entry is forgotten.
    func makeAnew(_ number: Int) -> TaskID? {
        change { state in state.ledger.makeAnew(number, makeID: makeID) }
    }

    /// Waits until an entry changes, or until the caller is cancelled; not at all if something has since `changes`.
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
        let (result, pause) = state.withLock { state in (body(&state), state.planKeeping()) }
        if let pause { keepLater(after: pause) }
        return result
    }

    // MARK: The store

    /// Takes up what a server before this one has left. Call it before anything is served.
    func restore() async throws(StoreError) {
        let left = try await store.unread(server: Self.server)
        let records = try await store.creates(leftBy: left, limit: Self.mostRestored)
        let now = MonotonicTime.now
        state.withLock { state in
            for record in records {
                guard let content = record.content else { continue }
                let age = clock.age(since: record.createdAt)
                guard age < state.ledger.window else { continue }
                let key = ResendKey(tenant: record.tenant, content: content)
                state.ledger.restore(key, record.id, until: now + (state.ledger.window - age))
            }
        }
    }

    private func keepLater(after pause: Duration) {
        background.start { [self] in
            guard await background.sleep(until: .now + pause) else { return }
            await keep()
        }
    }

    private func keep() async {
        state.withLock { $0.isKeepingDue = false }
        do {
            try await store.keep(
                unread: { [self] in state.withLock { $0.ledger.tasks } }, server: Self.server, at: clock.now)
        } catch {
            // Retry soon: an answer that is read just after the store is back must be recorded before a crash.
            if let pause = state.withLock({ $0.planKeeping() }) { keepLater(after: pause) }
        }
    }

    /// Keeps what is known at the end. Call it when nothing is served any more.
    func stop() async { await keep() }
}
