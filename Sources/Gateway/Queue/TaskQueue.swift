internal import Base
internal import EventLoop
internal import HTTPServer
internal import TaskStore

/// The creates that wait for an account: their places in memory, their bodies in the spool.
///
/// From any thread.
final class TaskQueue: Sendable {
    typealias Reservation = QueueReservation

    /// The longest that a task may wait.
    let maxAge: Duration
    private let spool: Spool
    private let budget: ByteBudget
    private let queue: Lock<FairQueue>
    private let loop: EventLoop
    private let bell: Bell

    /// Bodies of up to this size are not reckoned with, as for requests.
    private static let smallBody = 64 << 10
    /// How long a body waits for memory before its task waits again.
    private static let patience = Duration.seconds(10)

    /// - Parameters:
    ///   - budget: what bodies may take up of the memory, those of requests included.
    ///   - loop: where the queue is drained.
    init(_ bounds: QueueBounds, spool: Spool, budget: ByteBudget, loop: EventLoop) {
        self.spool = spool
        self.budget = budget
        self.loop = loop
        maxAge = .milliseconds(bounds.maxAge)
        bell = Bell(loop: loop)
        queue = Lock(FairQueue(bounds))
    }

    /// How many tasks count, how many bytes their bodies have, and since when the oldest waits.
    var figures: (tasks: Int, bytes: Int, oldest: Int64?) { queue.withLock { ($0.count, $0.bytes, $0.oldest) } }

    // MARK: In

    /// Takes room for a body; nil if there is none.
    func reserve(_ bytes: Int) -> Reservation? { queue.withLock { try? $0.admit(bytes: bytes) } }

    /// Takes room for each of several bodies, for all of them or for none.
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

    /// Nothing came of a reservation.
    func cancel(_ reservation: Reservation) { queue.withLock { $0.cancel(reservation) } }

    /// Writes a body down: when it returns, it survives a crash.
    func keep(_ body: [ByteSlice], of task: TaskID) async throws(SpoolError) { try await spool.write(task, body) }

    /// Removes the body of a task that doesn't come to wait, as far as it was written.
    func discard(_ task: TaskID) { spool.removeLater(task) }

    /// A task whose body and record are written waits from now on.
    /// - Parameter account: the only one that may have it.
    func confirm(_ reservation: Reservation, _ record: TaskRecord, account: String? = nil) {
        queue.withLock { $0.confirm(reservation, [QueuedTask(record, account: account)]) }
        ring()
    }

    /// Takes in what was queued before a restart.
    /// - Parameter accounts: of tasks that only one account may have.
    /// - Returns: those whose body is gone: they can never be sent.
    func recover(_ records: [TaskRecord], accounts: [TaskID: String]) async throws(SpoolError) -> Set<TaskID> {
        let missing = Set(try await spool.recover(queued: Set(records.map(\.id))).missing)
        let entries = records.filter { !missing.contains($0.id) }.map { QueuedTask($0, account: accounts[$0.id]) }
        queue.withLock { $0.restore(entries) }
        return missing
    }

    private func ring() { loop.execute { [bell] in bell.ring() } }

    // MARK: Out

    /// Waits, on the queue's loop, until there may be something to try.
    func wait(for duration: Duration) async { await bell.wait(for: duration) }

    /// Hands out the task to try next.
    func next(where hasRoom: (QueueNeed) -> Bool) -> QueuedTask? { queue.withLock { $0.next(where: hasRoom) } }

    /// Hands out a certain task that waits; nil if it doesn't.
    func take(_ task: TaskID) -> QueuedTask? { queue.withLock { $0.take(task) } }

    /// Hands out those that have waited for too long, to be ended. Their age goes on over restarts, which only the wall clock
    /// does as well: where that is set forward tasks end early, which costs nobody anything; set back, they wait longer.
    func expired(now: Int64) -> [QueuedTask] { queue.withLock { $0.expired(now: now) } }

    /// From now on none of these accounts will do for a task that was handed out.
    func exclude(_ accounts: Set<String>, for task: TaskID) { queue.withLock { $0.exclude(accounts, for: task) } }

    /// What was handed out waits again, in its old place.
    func putBack(_ task: TaskID) {
        queue.withLock { $0.putBack(task) }
        ring()
    }

    /// The body of a task, read anew; its memory is the budget's until it is let go of.
    /// - Throws: `missing` or `damaged` if it can never be sent; `unavailable` too if there is no memory for it now.
    func body(of entry: QueuedTask) async throws(SpoolError) -> [ByteSlice] {
        var lease: ByteBudget.Lease?
        if entry.bytes > Self.smallBody {
            do {
                lease = try await budget.reserve(
                    entry.bytes, owner: entry.tenant, on: loop, patience: Self.patience)
            } catch {
                throw SpoolError(.unavailable, "there is no memory for the body of \(entry.task) now")
            }
        }
        return [try await spool.read(entry.task, length: entry.bytes, holding: lease)]
    }

    /// A task is at Kling, or has ended: its place is free and its body is removed. To repeat it changes nothing.
    func forget(_ task: TaskID) {
        guard queue.withLock({ $0.remove(task) }) != nil else { return }
        // What is left over, because the disk is away, is removed at the next start.
        spool.removeLater(task)
    }
}

extension QueuedTask {
    /// The place of a queued record.
    init(_ record: TaskRecord, account: String?) {
        self.init(
            task: record.id, tenant: record.tenant, model: record.model, bytes: record.payload,
            enqueuedAt: record.createdAt, account: account)
    }
}
