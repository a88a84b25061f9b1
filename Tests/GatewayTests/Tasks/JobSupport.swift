import Base
import EventLoop
import Foundation
import HTTPServer
import KlingAPI
import TestKit
import Testing

@testable import Gateway
@testable import TaskStore

/// A Kling whose answers to creates, and whose tasks' states, a test sets.
final class ScriptedKling: KlingUpstream {
    enum Answer {
        case accept
        case refuse(status: Int, code: Int)
        /// The create and its answer are lost.
        case lose
    }

    private struct State {
        var answers: [Answer] = []
        var standing: Answer?
        var tasks: [String: String] = [:]
        var creates = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
        var heldFrom = Int.max
    }

    private let state = Lock(State())
    /// The number of each create that arrives, before it is answered.
    let arrivals = Mailbox<Int>()

    /// - Parameter answers: the answers to the first creates; later ones are accepted.
    init(_ answers: [Answer] = []) { state.withLock { $0.answers = answers } }

    var creates: Int { state.withLock { $0.creates } }

    /// Answers every create like this from now on.
    func answerAll(_ answer: Answer) { state.withLock { $0.standing = answer } }

    /// Holds the answers to the create with this number and all later ones until ``release()``.
    func hold(from number: Int) { state.withLock { $0.heldFrom = number } }

    func release() {
        let waiters = state.withLock { state in
            state.heldFrom = .max
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func set(_ upstreamID: String, _ status: String) { state.withLock { $0.tasks[upstreamID] = status } }

    func send(_ call: KlingCall) async throws(KlingFailure) -> KlingReply {
        guard call.kind == .create else { return found(String(call.path.split(separator: "/").last ?? "")) }
        let (number, answer) = state.withLock { state in
            state.creates += 1
            let next = state.answers.isEmpty ? Answer.accept : state.answers.removeFirst()
            return (state.creates, state.standing ?? next)
        }
        arrivals.put(number)
        await withCheckedContinuation { waiter in
            let mayAnswer = state.withLock { state in
                if number >= state.heldFrom { state.waiters.append(waiter) }
                return number < state.heldFrom
            }
            if mayAnswer { waiter.resume() }
        }
        switch answer {
        case .accept:
            set("kling-\(number)", "submitted")
            return found("kling-\(number)")
        case .refuse(let status, let code):
            return reply(status, #"{"code":\#(code),"message":"no, says Kling","request_id":"r"}"#)
        case .lose: throw KlingFailure(.timeout, wasSent: true, detail: "lost")
        }
    }

    private func found(_ id: String) -> KlingReply {
        guard let status = state.withLock({ $0.tasks[id] }) else {
            return reply(404, #"{"code":1203,"message":"no such task"}"#)
        }
        return reply(
            200,
            #"{"code":0,"message":"ok","request_id":"r","data":{"task_id":"\#(id)","task_status":"\#(status)","#
                + #""task_info":{"external_task_id":"\#(id)"}}}"#)
    }

    private func reply(_ status: Int, _ json: String) -> KlingReply {
        KlingReply(status: status, body: Array(json.utf8))
    }
}

/// A gateway's tasks with a store of their own, without sockets.
struct JobFixture {
    let kling: ScriptedKling
    let tasks: TryOnTasks
    let store: any TaskStore
    let loop: EventLoop
    let request: TryOnRequest

    struct Options {
        var accounts = [account("main", hasLookup: true)]
        var queue: QueueBounds? = QueueBounds(tasks: 10, bytes: 1 << 20, maxAge: 3_600_000)
        /// Longer than any test: only tests that set it see the queue.
        var dispatchWait = Duration.seconds(600)
        var json = #"{"human_image":"https://a.test/h.png","cloth_image":"https://a.test/c.png"}"#
        var folder: TemporaryFolder?
        /// The receivers of callbacks; nil if there are none.
        var receivers: Receivers?
        var clock = GuardedClock()
        var hosted: HostedPictures?
        /// Keeps the queued bodies; nil: a spool in the folder does.
        var spool: (any QueuedBodies)?
    }

    static let jobDeliveries: StepCallbacks.JobDeliveries = { before, after in
        guard after.isKnown, before?.tasks.map(\.state) != after.tasks.map(\.state) else { return nil }
        let states = after.tasks.map { "\($0.state)" }.joined(separator: ",")
        return NewDelivery(
            id: "msg_\(after.number)_\(states)_\(after.updatedAt)", url: after.callbackURL ?? "",
            body: Array("\(after.callbackRef ?? ""):\(states)".utf8), isLast: after.isFinal)
    }

    /// Runs `body` on a loop after recovery.
    static func run(
        _ kling: ScriptedKling = ScriptedKling(), _ options: Options = Options(),
        _ body: @escaping @Sendable (JobFixture) async throws -> Void
    ) async throws {
        let folder = try options.folder ?? TemporaryFolder()
        let loop = try EventLoop(name: "jobs")
        let fixture = try await JobFixture(kling, options, folder, loop)
        try await Recovery(tasks: fixture.tasks).run()
        fixture.tasks.ledger.callbackDelivery?.start()
        let outcome = await loop.spawn { () -> (any Error)? in
            do { try await body(fixture) } catch { return error }
            return nil
        }
        .value
        kling.release()
        await fixture.tasks.ledger.watcher.stop()
        await fixture.tasks.background.stop()
        await fixture.tasks.ledger.callbackDelivery?.stop(grace: .zero)
        while fixture.tasks.attempts.inFlight.withLock({ $0 }) > 0 { await Task.yield() }
        loop.stop()
        await fixture.store.close()
        if let outcome { throw outcome }
        withExtendedLifetime(folder) {}
    }

    private init(_ kling: ScriptedKling, _ options: Options, _ folder: TemporaryFolder, _ loop: EventLoop) async throws
    {
        self.kling = kling
        self.loop = loop
        store = try SQLiteTaskStore.open(
            path: folder.path("gateway.db"), deliveries: CallbackBody.delivery, jobDeliveries: Self.jobDeliveries)
        request = try await TryOnRequest.parse(Bytes(Array(options.json.utf8)))
        var queue: TaskQueue?
        if let bounds = options.queue {
            let spool = try options.spool ?? Spool(folder.path("spool"))
            queue = TaskQueue(bounds, spool: spool, budget: ByteBudget(capacity: 1 << 20), loop: loop)
        }
        let delivery = options.receivers.map { [store] receivers in
            CallbackDelivery(
                loop: loop, store: store.outbox, sender: receivers, secrets: Secrets(), observer: Silence(),
                policy: CallbackDelivery.Policy(userAgent: "test/1"), random: NoJitter())
        }
        tasks = try TryOnTasks(
            kling, options.accounts, store, on: loop, options: TryOnTasks.Options(dispatchWait: options.dispatchWait),
            queue: queue, callbackDelivery: delivery, hosted: options.hosted, clock: options.clock)
    }

    static func principal(concurrency: Int? = nil) -> Principal {
        Principal(tenant: "shop", keyID: "key_1", limits: Principal.Limits(concurrency: concurrency))
    }

    /// A request for `count` pictures.
    func job(_ count: Int, _ change: (inout JobRequest) -> Void = { _ in }) -> JobRequest {
        var job = JobRequest(tryOn: request, count: count, shape: "useapi") { error in
            StoredAnswer(status: error.refusal?.status ?? 500, body: Array(error.message.utf8))
        }
        change(&job)
        return job
    }

    func create(
        _ request: JobRequest, _ principal: Principal = principal(), _ note: ExchangeNote = ExchangeNote(requestID: "r")
    ) async throws(GatewayError) -> JobRecord {
        defer { note.end() }
        return try await tasks.jobs.create(request, for: principal, note)
    }

    /// The error with which a job is refused; nil if it is made.
    func refusal(_ request: JobRequest, _ principal: Principal = principal()) async -> GatewayError? {
        do throws(GatewayError) {
            _ = try await create(request, principal)
            return nil
        } catch {
            return error
        }
    }

    /// Waits until the job meets a condition, and returns it.
    func job(_ number: Int64, once isWanted: (JobRecord) -> Bool) async throws -> JobRecord {
        while true {
            let job = try #require(try await store.jobs.job(tenant: "shop", number))
            if isWanted(job) { return job }
            try Task.checkCancellation()
            await Task.yield()
        }
    }

    /// Makes Kling report a task's status, and the gateway hear of it.
    func hear(_ status: String, of task: TaskRecord) async throws {
        let id = try #require(task.upstreamID)
        kling.set(id, status)
        let answer = KlingAnswer(
            Array(#"{"code":0,"data":{"task_id":"\#(id)","task_status":"\#(status)"}}"#.utf8))
        _ = await tasks.ledger.recordObservation(try #require(answer?.task), of: task.id)
    }

    /// The bodies in the outbox, in the order in which they were added.
    func deliveries() async throws -> [String] {
        try await store.outbox.deliveries(DeliveryFilter(), limit: 99).reversed()
            .map { String(decoding: $0.body, as: UTF8.self) }
    }
}
