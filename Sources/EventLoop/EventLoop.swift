public import Base
internal import CLibevent
internal import Glibc
internal import Synchronization

/// One libevent `event_base` on one thread, as a Swift task executor.
///
/// A task started with ``spawn(_:)`` runs on the loop's thread for its whole life, with everything it calls, so a
/// connection's state needs no lock. Sockets, timers and signals are watched through ``SocketWatch``, ``Timer`` and
/// ``SignalWatch``, which may only be used on the loop's thread; this is checked.
///
/// Other threads reach the loop through ``execute(_:)`` (and Swift through `enqueue`): their jobs go to an inbox under
/// a lock, and an `eventfd` is written once for all jobs that arrive before the loop reads the inbox. The base itself
/// has no locks.
@safe public final class EventLoop: TaskExecutor, @unchecked Sendable {
    // @unchecked: `inbox` has a lock; all other mutable state is only accessed on the loop's thread (`isCurrent` is
    // checked at each entry), or before the thread runs.

    /// The name of the thread, also used in logs; the system shows at most 15 bytes of it.
    public let name: String

    let base: OpaquePointer
    private let wakeUp: WakeUp
    private let inbox = Lock(Inbox())
    private var ready: [Job] = []
    /// The other buffer of `ready`, which keeps its capacity for the next round.
    private var round: [Job] = []
    /// The inbox's other buffer. Empty except in ``takeInbox()``.
    private var arrived: [Job] = []
    private var isDraining = false
    /// What writes at the end of the current turn.
    private var writers: [any TurnWriter] = []
    let fallbackTimers = FallbackTimers()
    private let pool = TaskPool()
    private var commonTimeouts: [Int64: CommonTimeout] = [:]
    private var thread = pthread_t(bitPattern: 0)
    private let hasEnded = Atomic(false)

    /// Jobs that other threads submitted.
    private struct Inbox {
        var jobs: [Job] = []
        var isWakeUpPending = false
    }

    enum Job {
        case swift(UnownedJob)
        case block(@Sendable () -> Void)
    }

    /// How many rounds of jobs, each made ready by the one before, run before sockets and timers get their turn. The
    /// writes between them are a round, too.
    private static let roundsPerTurn = 16

    /// Makes the base and starts its thread.
    /// - Throws: ``SystemCallError`` if the system is out of descriptors, memory or threads.
    public init(name: String) throws(SystemCallError) {
        self.name = name
        guard let configuration = unsafe event_config_new() else { throw SystemCallError("event_config_new") }
        unsafe event_config_set_flag(configuration, Int32(EVENT_BASE_FLAG_NOLOCK.rawValue))
        defer { unsafe event_config_free(configuration) }
        guard let base = unsafe event_base_new_with_config(configuration) else {
            throw SystemCallError("event_base_new_with_config")
        }
        unsafe self.base = base
        wakeUp = try WakeUp()
        guard wakeUp.register(on: self), fallbackTimers.register(on: self) else { throw SystemCallError("event_new") }
        try start()
    }

    deinit {
        wakeUp.unregister()
        fallbackTimers.unregister()
        unsafe event_base_free(base)
    }

    // MARK: Running

    private func start() throws(SystemCallError) {
        // The new thread first waits for this lock, so it sees the `thread` that `pthread_create` stored.
        let failure = inbox.withLock { _ -> Int32 in
            let argument = unsafe Unmanaged.passRetained(self).toOpaque()
            let code = unsafe pthread_create(&thread, nil, { unsafe EventLoop.threadMain($0) }, argument)
            if code != 0 { unsafe Unmanaged<EventLoop>.fromOpaque(argument).release() }
            return code
        }
        if failure != 0 { throw SystemCallError("pthread_create", code: failure) }
    }

    private static func threadMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let argument = unsafe argument else { preconditionFailure("a loop's thread starts with its loop") }
        // Takes ownership of the reference that `start` retained for this thread.
        let loop = unsafe Unmanaged<EventLoop>.fromOpaque(argument).takeRetainedValue()
        loop.inbox.withLock { _ in }
        unsafe pthread_setspecific(key, argument)
        unsafe pthread_setname_np(pthread_self(), String(loop.name.prefix(15)))
        unsafe event_base_loop(loop.base, Int32(EVLOOP_NO_EXIT_ON_EMPTY))
        loop.hasEnded.store(true, ordering: .releasing)
        return nil
    }

    /// Stops the thread after the current turn and waits for it. Call it once, from another thread, after all users of
    /// the loop have stopped: jobs that are submitted later never run.
    public func stop() {
        precondition(!isCurrent, "a loop cannot wait for its own end")
        execute { [self] in
            pool.close()
            unsafe event_base_loopbreak(base)
        }
        pthread_join(thread, nil)
    }

    /// The loop on whose thread the caller runs, as every task that a loop has started does. Traps on other threads.
    public static var current: EventLoop {
        guard let loop = unsafe pthread_getspecific(key) else { preconditionFailure("called outside of an event loop") }
        // The thread holds a reference to its loop until it ends.
        return unsafe Unmanaged.fromOpaque(loop).takeUnretainedValue()
    }

    /// The thread-specific value of a loop's thread: the loop.
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let code = unsafe pthread_key_create(&key, nil)
        precondition(code == 0, "pthread_key_create: \(code)")
        return key
    }()

    /// Whether the caller runs on the loop's thread.
    public var isCurrent: Bool { pthread_equal(pthread_self(), thread) != 0 }

    /// Traps unless the caller runs on the loop's thread, or that thread has ended.
    public func assertCurrent() {
        precondition(
            isCurrent || hasEnded.load(ordering: .acquiring), "\(name): loop state was touched from another thread")
    }

    // MARK: Jobs

    /// Runs `block` on the loop's thread, after the jobs that are already queued. Can be called from any thread.
    public func execute(_ block: @escaping @Sendable () -> Void) { submit(.block(block)) }

    /// Starts a task that runs on this loop for its whole life.
    ///
    /// This and ``start(_:)`` are the only places where the project starts unstructured tasks: a bare `Task {}` would
    /// leave the loop.
    @discardableResult
    public func spawn<Success: Sendable>(
        _ body: @escaping @Sendable () async -> Success
    ) -> Task<Success, Never> {
        guard let label = WorkLabel.current else { return Task(executorPreference: self, operation: body) }
        return WorkLabel.$slot.withValue(WorkLabel.Slot(label)) { Task(executorPreference: self, operation: body) }
    }

    /// Starts work that runs on this loop for its whole life, in a task that is used again afterwards: for work that
    /// starts often. Unlike ``spawn(_:)``, it inherits neither the caller's task-local values nor its ``WorkLabel``. Call
    /// it on the loop's thread.
    @discardableResult
    public func start(_ work: @escaping @Sendable () async -> Void) -> PooledTask {
        assertCurrent()
        return pool.run(on: self, work)
    }

    /// Runs `body` on the loop's thread and returns its result. Can be called from any task.
    public func run<Success: Sendable>(_ body: @escaping @Sendable () -> Success) async -> Success {
        if isCurrent { return body() }
        return await withCheckedContinuation { continuation in
            execute { continuation.resume(returning: body()) }
        }
    }

    private func submit(_ job: Job) {
        if isCurrent {
            ready.append(job)
            if !isDraining { wakeUp.signal() }
            return
        }
        let mustWake = inbox.withLock { inbox in
            inbox.jobs.append(job)
            defer { inbox.isWakeUpPending = true }
            return !inbox.isWakeUpPending
        }
        if mustWake { wakeUp.signal() }
    }

    /// Takes the jobs that other threads submitted, and runs them. Called by the wake-up.
    func takeInbox() {
        var jobs: [Job] = []
        swap(&jobs, &arrived)
        inbox.withLock { inbox in
            inbox.isWakeUpPending = false
            swap(&inbox.jobs, &jobs)
        }
        enter { ready.append(contentsOf: jobs) }
        jobs.removeAll(keepingCapacity: true)
        swap(&jobs, &arrived)
    }

    /// Runs the body of a libevent callback, then the jobs that it made ready. Every callback goes through here.
    func enter(_ body: () -> Void) {
        isDraining = true
        body()
        for _ in 0..<Self.roundsPerTurn {
            if !ready.isEmpty { runReady() } else if !writers.isEmpty { writeAll() } else { break }
        }
        if !writers.isEmpty { writeAll() }
        isDraining = false
        if !ready.isEmpty { wakeUp.signal() }
    }

    /// Has `writer` write at the end of the current turn: when no jobs are ready, or enough of them have run.
    ///
    /// A write to a socket wakes its reader if that sleeps. If the reader is on the same machine, such as a proxy, and
    /// every write is followed by other work, each wakes it anew. Without work in between, the first does for all.
    public func writeAtEndOfTurn(_ writer: any TurnWriter) {
        assertCurrent()
        writers.append(writer)
        if !isDraining { wakeUp.signal() }
    }

    private func writeAll() {
        var writing: [any TurnWriter] = []
        swap(&writing, &writers)
        for writer in writing { writer.write() }
        writing.removeAll(keepingCapacity: true)
        if writers.isEmpty { swap(&writing, &writers) }
    }

    private func runReady() {
        var jobs: [Job] = []
        swap(&jobs, &round)
        swap(&jobs, &ready)
        for job in jobs {
            switch job {
            case .swift(let job): run(job)
            case .block(let block): block()
            }
        }
        jobs.removeAll(keepingCapacity: true)
        swap(&jobs, &round)
    }

    /// Runs a job outside of any serial executor: a task that had to leave one first would be enqueued again at each
    /// of its steps.
    private func run(_ job: UnownedJob) {
        #if THREAD_SANITIZER
        // The thread sanitizer needs this: if a continuation is resumed before its task waits for it, Swift's runtime
        // only tells the sanitizer about it if the task is enqueued afterwards.
        unsafe job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
        #else
        unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        #endif
    }

    // MARK: Executor

    public func enqueue(_ job: consuming ExecutorJob) { submit(.swift(UnownedJob(job))) }
    public func asUnownedTaskExecutor() -> UnownedTaskExecutor { unsafe UnownedTaskExecutor(ordinary: self) }

    // MARK: Time

    /// The queue for timers with the same duration, created on first use. The cost of arming one does not depend on
    /// how many wait.
    public func commonTimeout(_ duration: Duration) -> CommonTimeout {
        assertCurrent()
        let key = duration.nanoseconds
        if let known = commonTimeouts[key] { return known }
        var time = timeval(duration)
        guard let queue = unsafe event_base_init_common_timeout(base, &time) else {
            return unsafe CommonTimeout(duration: duration, queue: nil)
        }
        let made = unsafe CommonTimeout(duration: duration, queue: queue)
        commonTimeouts[key] = made
        return made
    }
}

#if THREAD_SANITIZER
extension EventLoop: SerialExecutor {
    public func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }
}
#endif
