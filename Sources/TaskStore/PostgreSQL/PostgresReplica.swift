internal import Base
internal import PostgreSQL
internal import Synchronization

/// This process's membership among those that serve, on a thread and a connection of its own.
///
/// Five times a second it raises its `beats`, looks at those of the others, and receives notifications. Another process
/// is dead if it has left, if nobody has held its advisory lock for ``lockPatience``, or if its `beats` have stood still
/// for ``beatPatience``. Only what this process has seen itself counts, without a gap: after a lost connection it begins
/// anew, so that a restart of the server kills nobody.
final class PostgresReplica: ReplicaStore {
    /// The channels of notifications.
    static let keys = "kling_gateway_keys"
    static let tasks = "kling_gateway_tasks"

    /// The first half of the key of each process's advisory lock; its number is the other.
    static let lockClass = 1_263_303

    private static let interval = Duration.milliseconds(200)
    static let lockPatience = Duration.milliseconds(1200)
    static let beatPatience = Duration.seconds(4)
    /// How long after a beat this process is certain to own its tasks. Shorter than either patience, by more than a beat.
    private static let certainty = Duration.milliseconds(800)
    /// The beats of ten seconds or more.
    private static let rememberedBeats = 50

    private struct State {
        var observer: (@Sendable (ReplicaEvent) -> Void)?
        /// What happened while there was no observer.
        var events: [ReplicaEvent] = []
        var predecessors: [Int64] = []
        var suspects: Set<Int64> = []
        var seenOthersAt: MonotonicTime?
        /// The newest task at each of the last beats.
        var newestTasks: [(at: MonotonicTime, row: Int64)] = []
        /// Whether ``settle()`` has ended.
        var isSettled = false
        var isStopped = false
    }

    let number: Int64
    private let server: PostgresServer
    private let reads: WorkQueue<PostgresConnection>
    private let state = Lock(State())
    /// When the last successful beat was sent, in nanoseconds of the monotonic clock.
    private let beatAt = Atomic<Int64>(0)

    /// Joins those that serve, and takes over what dead ones have left. This blocks the thread, for up to two seconds if
    /// one has just died.
    init(
        joining server: PostgresServer, as name: String, _ reads: WorkQueue<PostgresConnection>
    ) throws(StoreError) {
        self.reads = reads
        do throws(PostgresError) {
            let session = try server.connect("setup")
            let now = "extract(epoch FROM clock_timestamp()) * 1000"
            try session.startPipeline()
            try session.send(
                """
                WITH joined AS (INSERT INTO replicas (name, started_at) VALUES ($1, \(now)) RETURNING number)
                INSERT INTO commits SELECT number, '0'::xid8 FROM joined RETURNING replica
                """, named: nil, [.text(name)])
            number = try session.result().integer(0, 0)
            try session.sync()
        } catch {
            throw StoreError(error)
        }
        var own = server
        own.replica = number
        self.server = own
    }

    /// The server as this process's sessions know it.
    var membership: PostgresServer { server }

    var isOwner: Bool {
        MonotonicTime.now.nanoseconds - beatAt.load(ordering: .relaxed) < Self.certainty.nanoseconds
    }

    var predecessors: [Int64] { state.withLock(\.predecessors) }

    var suspects: Set<Int64> { state.withLock(\.suspects) }

    func hasSeenOthers(within time: Duration) -> Bool {
        state.withLock(\.seenOthersAt).map { .now - $0 < time } ?? false
    }

    func newestTask(at time: MonotonicTime) -> Int64 {
        state.withLock { $0.newestTasks.last { $0.at <= time }?.row ?? 0 }
    }

    func observe(_ body: @escaping @Sendable (ReplicaEvent) -> Void) {
        let missed = state.withLock { state in
            defer { state.events = [] }
            state.observer = body
            return state.events
        }
        for event in missed { body(event) }
    }

    private func report(_ event: ReplicaEvent) {
        let observer = state.withLock { state in
            if state.observer == nil { state.events.append(event) }
            return state.observer
        }
        observer?(event)
    }

    func all() async throws(StoreError) -> [ReplicaRecord] {
        try await Work.perform(in: reads, .written, .other) { connection throws(StoreError) in
            try connection.statement(.replicas).rows { row in
                ReplicaRecord(
                    number: row.integer(0), name: row.text(1), startedAt: row.integer(2), tasks: row.integer(3))
            }
        }
    }

    func runningElsewhere(since time: Int64) async throws(StoreError) -> [String: Int] {
        let counts = try await Work.perform(in: reads, .written, .other) { connection throws(StoreError) in
            let select = connection.statement(.runningElsewhere)
            select.bind(1, time)
            return try select.rows { ($0.text(0), Int($0.integer(1))) }
        }
        return Dictionary(counts) { $0 + $1 }
    }

    // MARK: The thread

    /// Takes over what dead processes have left, before this one serves. Their tasks are then simply its own.
    /// - Throws: if the server cannot be reached; `replaced` if another process has taken over from this one.
    func settle() throws(StoreError) {
        let isMember: Bool
        do throws(PostgresError) {
            do throws(PostgresError) { isMember = try settleOnce() } catch {
                guard error.isConnectionLost else { throw error }
                // A process that has taken over from this one ends its sessions.
                isMember = try settleOnce()
            }
        } catch {
            throw StoreError(error)
        }
        guard isMember else { throw .replaced }
        state.withLock { $0.isSettled = true }
    }

    /// - Returns: false if another process has taken over from this one.
    private func settleOnce() throws(PostgresError) -> Bool {
        var round = try Round(server)
        guard try beat(&round) else { return false }
        // Of a store that was copied, or of processes of which nothing else is left.
        _ = try round.adopt()
        try round.session.sync()
        let deadline = MonotonicTime.now + Self.beatPatience + Self.lockPatience
        repeat {
            guard try beat(&round) else { return false }
            StoreThread.pause(Self.interval / 4)
        } while round.watch.hasDoubts && MonotonicTime.now < deadline
        return true
    }

    /// Keeps the membership until ``stop()``, and then leaves.
    func run() {
        var round: Round?
        while !state.withLock({ $0.isStopped }) {
            do throws(PostgresError) {
                var current = if let known = round { known } else { try Round(server) }
                round = nil
                guard try beat(&current) else { return report(.wasReplaced) }
                for notification in try current.session.notifications(within: Self.interval) { report(notification) }
                round = current
            } catch {
                StoreThread.pause(Self.interval)
            }
        }
        if let round { try? leave(round) }
    }

    /// Has ``run()`` return soon.
    func stop() { state.withLock { $0.isStopped = true } }

    private func report(_ notification: PostgresNotification) {
        switch notification.channel {
        case Self.keys: report(.keysChanged)
        case Self.tasks: if let id = TaskID(notification.payload) { report(.taskChanged(id)) }
        default: break
        }
    }

    /// Raises the beats, looks at the others, and takes over from the dead.
    /// - Returns: false if another process has taken over from this one.
    private func beat(_ round: inout Round) throws(PostgresError) -> Bool {
        let start = MonotonicTime.now
        guard let newestTask = try round.raiseBeats() else { return false }
        beatAt.store(start.nanoseconds, ordering: .relaxed)
        let dead = try round.look(now: start)
        state.withLock { state in
            if state.newestTasks.count == Self.rememberedBeats { state.newestTasks.removeFirst() }
            state.newestTasks.append((.now, newestTask))
            state.suspects = round.watch.suspects(now: start)
            state.seenOthersAt = round.seenOthersAt ?? state.seenOthersAt
        }
        for other in dead {
            guard let ids = try round.takeOver(other) else { continue }
            let isPredecessor = state.withLock { state in
                if !state.isSettled { state.predecessors.append(other) }
                return !state.isSettled
            }
            if !isPredecessor { report(.tookOver(ids, from: other)) }
        }
        return true
    }

    private func leave(_ round: Round) throws(PostgresError) {
        try round.session.send(
            "UPDATE replicas SET has_left = true WHERE number = \(PostgresDialect.replica)", named: nil, [])
        try round.session.sync()
    }
}
