internal import Base

/// The calls to one account that the watching may make now: per interval, one list call and a few queries. After
/// failures it makes none for a while, then one, to find out whether the account answers again.
struct CallBudget: Sendable {
    /// How many tasks one query may ask for.
    var tasksPerQuery = 1

    private var intervalEnd: MonotonicTime
    /// Whether a list call may still be made in this interval.
    private(set) var hasListCall = true
    private var reads = 0
    private var readsInFlight = 0
    private var calls = Backoff(shortest: .seconds(2))
    // Longer, so that tasks are queried one by one if only the list fails.
    private var lists = Backoff(shortest: .seconds(4))
    private var spread: Spread

    /// - Parameter seed: the seed of the backoff's jitter.
    init(seed: UInt64, now: MonotonicTime) {
        intervalEnd = now
        spread = Spread(seed: seed)
    }

    // MARK: What may be called

    /// Starts a new interval if the current one is over.
    mutating func renew(_ now: MonotonicTime) {
        guard now >= intervalEnd else { return }
        intervalEnd = now + WatchSchedule.interval
        (hasListCall, reads) = (true, 0)
    }

    /// Whether calls may be made, because none has failed recently.
    func allowsCalls(_ now: MonotonicTime) -> Bool { calls.isOver(now) }

    /// Whether list calls may be made, because none has failed recently.
    func allowsLists(_ now: MonotonicTime) -> Bool { lists.isOver(now) }

    /// Whether the last call failed, so that only one may be made.
    var isProbing: Bool { calls.isProbing }

    /// The most tasks that are queried one by one in an interval, and the most in flight.
    var readLimit: Int { WatchSchedule.readsPerInterval * tasksPerQuery }

    /// How many more tasks may be queried while the account answers.
    var unusedReads: Int { max(0, readLimit - max(reads, readsInFlight)) }

    /// How many more tasks may be queried now.
    var allowedReads: Int { isProbing ? max(0, 1 - max(reads, readsInFlight)) : unusedReads }

    /// Takes the interval's list call.
    mutating func takeListCall() { hasListCall = false }

    /// Takes `count` queried tasks. Each needs one ``endRead()``.
    mutating func takeReads(_ count: Int) {
        reads += count
        readsInFlight += count
    }

    // MARK: How calls end

    /// Records that the query of a task has ended, whatever the outcome.
    mutating func endRead() { readsInFlight -= 1 }

    /// Records an answered call.
    mutating func succeeded() { calls.succeeded() }

    /// Records an answered list call.
    mutating func listSucceeded() {
        calls.succeeded()
        lists.succeeded()
    }

    /// Records a failed call.
    mutating func failed(_ now: MonotonicTime) { calls.failed(now, &spread) }

    /// Records a failed list call.
    mutating func listFailed(_ now: MonotonicTime) {
        calls.failed(now, &spread)
        lists.failed(now, &spread)
    }
}

/// The backoff from an account after failed calls.
struct Backoff: Sendable {
    /// The longest pause.
    static let longest = Duration.seconds(60)

    private let shortest: Duration
    private var pause = Duration.zero
    private var resumeAt: MonotonicTime?

    init(shortest: Duration) { self.shortest = shortest }

    /// Whether the last call failed.
    var isProbing: Bool { resumeAt != nil }

    /// Whether calls may be made.
    func isOver(_ now: MonotonicTime) -> Bool { resumeAt.map { now >= $0 } ?? true }

    /// Records a failed call. Calls that fail together count once.
    mutating func failed(_ now: MonotonicTime, _ spread: inout Spread) {
        guard isOver(now) else { return }
        pause = min(max(pause * 2, shortest), Self.longest)
        resumeAt = now + min(spread.around(pause), Self.longest)
    }

    /// Records an answered call.
    mutating func succeeded() {
        pause = .zero
        resumeAt = nil
    }
}
