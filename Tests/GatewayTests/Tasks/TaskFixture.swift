import Base
import EventLoop
import HTTPServer
import KlingAPI
import TestKit
import Testing

@testable import Gateway
@testable import TaskStore

/// A gateway's tasks with a store of their own, in front of a test's Kling. No sockets and no waiting.
struct TaskFixture<Kling: KlingUpstream> {
    let kling: Kling
    let tasks: TryOnTasks
    let store: any TaskStore
    /// The events that the operator sees.
    let events: Mailbox<String>
    let clock: VirtualClock
    let loop: EventLoop

    /// Runs `body` on a loop after recovery.
    /// - Parameters:
    ///   - clock: the clock of the background work.
    ///   - queue: the bounds of the queue; nil: there is none.
    static func run(
        _ kling: Kling, _ accounts: [Account], clock: VirtualClock = VirtualClock(), queue: QueueBounds? = nil,
        _ body: @escaping @Sendable (TaskFixture) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        let loop = try EventLoop(name: "tasks")
        let events = Mailbox<String>()
        let store = try SQLiteTaskStore.open(path: folder.path("gateway.db"))
        let tasks = try TryOnTasks(
            kling, accounts, store, on: loop, observer: Operator(events: events),
            queue: queue.map {
                TaskQueue(
                    $0, spool: try Spool(folder.path("spool")), budget: ByteBudget(capacity: 1 << 20), loop: loop)
            }, backgroundClock: clock.background)
        try await Recovery(tasks: tasks).run()
        let fixture = TaskFixture(
            kling: kling, tasks: tasks, store: store, events: events, clock: clock, loop: loop)
        let outcome = await loop.spawn { () -> (any Error)? in
            do { try await body(fixture) } catch { return error }
            return nil
        }
        .value
        await tasks.ledger.watcher.stop()
        await tasks.background.stop()
        loop.stop()
        await store.close()
        if let outcome { throw outcome }
        withExtendedLifetime(folder) {}
    }

    private struct Operator: GatewayObserver {
        let events: Mailbox<String>
        func upstreamCall(_ call: KlingCall, _ end: UpstreamCallEnd) {}
        func event(_ level: GatewayEventLevel, _ message: StaticString, _ details: [(StaticString, String)]) {
            events.put("\(message): " + details.map { "\($0)=\($1)" }.joined(separator: " "))
        }
    }
}

extension TryOnTasks {
    /// A gateway's tasks with the parts that a test gives.
    convenience init(
        _ kling: any KlingUpstream, _ accounts: [Account], _ store: any TaskStore, on loop: EventLoop,
        options: Options = Options(), observer: any GatewayObserver = Silence(), queue: TaskQueue? = nil,
        callbackDelivery: CallbackDelivery? = nil, hosted: HostedPictures? = nil, clock: GuardedClock = GuardedClock(),
        backgroundClock: Background.Clock = Background.Clock()
    ) throws {
        self.init(
            options: options, store: store, caller: KlingCaller(upstream: kling, observer: observer),
            accounts: Accounts(accounts), queue: queue, callbackDelivery: callbackDelivery,
            callbackTokens: CallbackTokens(Vault(try MasterKey(Secret("a master key of some length")))),
            hosted: hosted, clock: clock, cache: TaskCache(capacity: 10, bytes: 1 << 20),
            watcher: Watcher(reader: KlingReader(), on: loop, seed: 1), loop: loop, backgroundClock: backgroundClock)
    }
}

/// A clock of virtual time: a sleep takes none, and moves the clock to its end.
final class VirtualClock: Sendable {
    private let time = Lock(moment(0))

    var now: MonotonicTime { time.withLock { $0 } }

    func pass(_ duration: Duration) { time.withLock { $0 = $0 + duration } }

    /// The clock as background work uses it.
    var background: Background.Clock {
        Background.Clock(
            now: { self.now },
            sleep: { duration, _ in
                let end = self.now + duration
                // What is ready to run comes before what has to wait.
                await Task.yield()
                self.time.withLock { $0 = max($0, end) }
            })
    }
}

/// A Kling whose answer to each call a test gives.
final class AnsweringKling: KlingUpstream {
    private let answer: @Sendable (KlingCall) throws(KlingFailure) -> KlingReply
    private let received = Lock<[KlingCall]>([])

    init(_ answer: @escaping @Sendable (KlingCall) throws(KlingFailure) -> KlingReply) { self.answer = answer }

    /// Answers the calls in this order, and later ones with an error that says nothing.
    convenience init(_ replies: [KlingReply]) {
        let replies = Lock(replies[...])
        self.init { _ in replies.withLock { $0.popFirst() } ?? KlingReply(500, "") }
    }

    /// The calls so far.
    var calls: [KlingCall] { received.withLock { $0 } }

    func send(_ call: KlingCall) async throws(KlingFailure) -> KlingReply {
        received.withLock { $0.append(call) }
        return try answer(call)
    }
}

extension KlingReply {
    init(_ status: Int, _ body: String) { self.init(status: status, body: Array(body.utf8)) }
}
