internal import Base
internal import EventLoop
internal import HTTPServer
internal import TaskStore

/// The creates that wait for an account: their places in memory, their bodies in the spool.
///
/// Any thread may call any function, unless it says otherwise.
final class TaskQueue: Sendable {
    typealias Reservation = QueueReservation

    /// The longest that a task may wait.
    let maxAge: Duration
    private let spool: any QueuedBodies
    private let budget: ByteBudget
    private let queue: Lock<FairQueue>
    private let loop: EventLoop
    private let bell: Bell

    /// Bodies up to this size don't count against the memory budget, as for requests.
    private static let smallBody = 64 << 10
    /// How long a body waits for memory before its task goes back into the queue.
    private static let patience = Duration.seconds(10)

    /// - Parameters:
    ///   - budget: limits the memory for bodies, including those of requests.
    ///   - loop: where the queue is drained.
    init(_ bounds: QueueBounds, spool: any QueuedBodies, budget: ByteBudget, loop: EventLoop) {
        self.spool = spool
        self.budget = budget
        self.loop = loop
        maxAge = .milliseconds(bounds.maxAge)
        bell = Bell(loop: loop)
        queue = Lock(FairQueue(bounds))
    }

    /// How many tasks count, how many bytes their bodies have, and since when the oldest has been waiting.
    var figures: (tasks: Int, bytes: Int, oldest: Int64?) { queue.withLock { ($0.count, $0.bytes, $0.oldest) } }

    // MARK: Enqueue

    /// Reserves room for a body; nil if there is none.
    func reserve(_ bytes: Int) -> Reservation? { queue.withLock { try? $0.admit(bytes: bytes) } }

    /// Reserves room for all of several bodies or for none.
    func reserve(_ bodies: [Int]) -> [Reservation]? {
        queue.withLock { queue in
            var reservations: [Reservation] = []
            for bytes in bodies {
                guard let one = try? queue.admit(bytes: bytes) else {
                    for other in reservations { queue.cancel(other) }
                    return nil
                }
                reservations.append(one)
            }
            return reservations
        }
    }

    /// Releases a reservation that was not used.
    func cancel(_ reservation: Reservation) { queue.withLock { $0.cancel(reservation) } }

    /// Writes a body to the spool. When it returns, the body survives a crash.
    func keep(_ body: [ByteSlice], of task: TaskID) async throws(SpoolError) { try await spool.write(task, body) }

    /// Removes the body, complete or not, of a task that is not queued after all.
    func discard(_ task: TaskID) { spool.removeLater(task) }

    /// Queues a task after its body and record were written.
    /// - Parameter account: the only account that may run it; nil: any.
    func confirm(_ reservation: Reservation, _ record: TaskRecord, account: String? = nil) {
        queue.withLock { $0.confirm(reservation, [QueuedTask(record, account: account)]) }
        ring()
    }

    /// Restores what was queued before a restart.
    /// - Parameter accounts: the account of each task that only one account may run.
    /// - Returns: the tasks whose body is gone, which can never be sent.
    func recover(_ records: [TaskRecord], accounts: [TaskID: String]) async throws(SpoolError) -> Set<TaskID> {
        let missing = Set(try await spool.recover(queued: Set(records.map(\.id))).missing)
        let entries = records.filter { !missing.contains($0.id) }.map { QueuedTask($0, account: accounts[$0.id]) }
        queue.withLock { $0.restore(entries) }
        return missing
    }

    /// Queues what another gateway, whose tasks now belong to this one, has queued.
    /// - Returns: the tasks whose body is not found, which can never be sent.
    func add(_ records: [TaskRecord], accounts: [TaskID: String]) async throws(SpoolError) -> Set<TaskID> {
        let missing = Set(records.map(\.id)).subtracting(try await spool.list())
        let entries = records.filter { !missing.contains($0.id) }.map { QueuedTask($0, account: accounts[$0.id]) }
        queue.withLock { $0.restore(entries) }
        ring()
        return missing
    }

    /// Removes the bodies that other gateways have left although nothing needs them.
    func sweep() async { await spool.sweep() }

    private func ring() { loop.execute { [bell] in bell.ring() } }

    // MARK: Dequeue

    /// Waits until there may be a task to try, or until the caller is cancelled. Call it on the queue's loop.
    func wait(for duration: Duration) async {
        await withTaskCancellationHandler {
            await bell.wait(for: duration)
        } onCancel: {
            ring()
        }
    }

    /// Hands out the task to try next.
    func next(where hasRoom: (QueueNeed) -> Bool) -> QueuedTask? { queue.withLock { $0.next(where: hasRoom) } }

    /// Hands out a particular task; nil if it isn't waiting.
    func take(_ task: TaskID) -> QueuedTask? { queue.withLock { $0.take(task) } }

    /// Hands out the tasks that have waited too long, for the caller to end. Ages continue across restarts, so the
    /// monotonic clock can't measure them: pass ``GuardedClock/believed``, which follows a jump of the wall clock only
    /// after a day.
    func expired(now: Int64) -> [QueuedTask] { queue.withLock { $0.expired(now: now) } }

    /// Excludes accounts from now on for a task that was handed out.
    func exclude(_ accounts: Set<String>, for task: TaskID) { queue.withLock { $0.exclude(accounts, for: task) } }

    /// Puts a task that was handed out back into its old place.
    func putBack(_ task: TaskID) {
        queue.withLock { $0.putBack(task) }
        ring()
    }

    /// Reads the body of a task. Its memory counts against the budget until the body is released.
    /// - Throws: `missing` or `damaged` if the body can never be sent; `unavailable` also if there is no memory for it
    ///   now.
    func body(of entry: QueuedTask) async throws(SpoolError) -> [ByteSlice] {
        var lease: ByteBudget.Lease?
        if entry.bytes > Self.smallBody {
            do {
                lease = try await budget.reserve(
                    entry.bytes, owner: entry.tenant, patience: Self.patience)
            } catch {
                throw SpoolError(.unavailable, "there is no memory for the body of \(entry.task) now")
            }
        }
        return [try await spool.read(entry.task, length: entry.bytes, holding: lease)]
    }

    /// Removes a task that Kling has or that has ended, with its body. Repeating it has no effect.
    func forget(_ task: TaskID) {
        guard queue.withLock({ $0.remove(task) }) != nil else { return }
        // If the disk is unavailable, the file is removed at the next start.
        spool.removeLater(task)
    }
}

extension QueuedTask {
    /// Creates the queue entry of a queued record.
    init(_ record: TaskRecord, account: String?) {
        self.init(
            task: record.id, tenant: record.tenant, model: record.model, bytes: record.payload,
            enqueuedAt: record.createdAt, account: account)
    }
}
