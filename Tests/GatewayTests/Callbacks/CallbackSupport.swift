import Base
import EventLoop
import KlingAPI
import Synchronization
import Testing

@testable import Gateway
@testable import TaskStore

/// A queue of items that a test awaits in their order.
final class Mailbox<Item: Sendable>: Sendable {
    private let state = Lock<(items: [Item], waiter: CheckedContinuation<Item, Never>?)>(([], nil))

    func put(_ item: Item) {
        let waiter = state.withLock { state in
            if state.waiter == nil { state.items.append(item) }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: item)
    }

    func next() async -> Item {
        await withCheckedContinuation { waiter in
            let item = state.withLock { state -> Item? in
                if state.items.isEmpty { state.waiter = waiter }
                return state.items.isEmpty ? nil : state.items.removeFirst()
            }
            if let item { waiter.resume(returning: item) }
        }
    }

    var count: Int { state.withLock { $0.items.count } }
}

/// An in-memory ``DeliveryStore``.
final class Outbox: DeliveryStore {
    struct State {
        var rows: [DeliveryRecord] = []
        var attempts: [String: [DeliveryAttempt]] = [:]
        var isBroken = false
        var isReadOnly = false
        /// How many calls were refused because it is broken or read-only.
        var refused = 0
        var reads = 0
        /// How often the time of the next delivery was read.
        var looks = 0
    }

    let state = Lock(State())
    /// Every attempt that was settled.
    let settled = Mailbox<(id: String, attempt: DeliveryAttempt, outcome: DeliveryOutcome)>()

    func add(
        _ id: String, task: TaskID, tenant: String = "shop", url: String = "https://shop.example/kling", due: Int64
    ) {
        state.withLock {
            $0.rows.append(
                DeliveryRecord(
                    id: id, task: task, tenant: tenant, url: url, body: Array("{\"n\":\"\(id)\"}".utf8), isLast: false,
                    createdAt: due, nextAttemptAt: due))
        }
    }

    func row(_ id: String) -> DeliveryRecord? { state.withLock { $0.rows.first { $0.id == id } } }

    private func open(toWrite: Bool = false) throws(StoreError) {
        let isRefused = state.withLock { state in
            let isRefused = state.isBroken || toWrite && state.isReadOnly
            if isRefused { state.refused += 1 }
            return isRefused
        }
        if isRefused { throw StoreError(.unavailable, "down") }
    }

    /// Waits until it has refused `count` more calls.
    func refuses(_ count: Int, _ loop: EventLoop) async throws {
        let wanted = state.withLock { $0.refused } + count
        while state.withLock({ $0.refused }) < wanted {
            try Task.checkCancellation()
            await loop.run {}
        }
    }

    func dueDeliveries(
        at time: Int64, from position: OutboxPosition, _ bounds: OutboxBounds
    ) async throws(StoreError) -> OutboxPage {
        try open()
        return state.withLock { state in
            state.reads += 1
            var seen: Set<TaskID> = []
            let oldest = state.rows.filter { $0.state == .waiting && seen.insert($0.task).inserted }
            let due = oldest.filter { $0.nextAttemptAt.map { $0 <= time } ?? false }
            let lanes = Dictionary(grouping: due) { "\($0.tenant) \(OutboxBounds.receiver(of: $0.url))" }
            return OutboxPage(
                rows: lanes.values.flatMap { lane in
                    lane.sorted { $0.nextAttemptAt ?? 0 < $1.nextAttemptAt ?? 0 }.prefix(bounds.each)
                })
        }
    }

    func nextDelivery() async throws(StoreError) -> Int64? {
        try open()
        return state.withLock { state in
            state.looks += 1
            return state.rows.filter { $0.state == .waiting }.compactMap(\.nextAttemptAt).min()
        }
    }

    func claim(delivery id: String, attempts: Int, lease: Int64, at time: Int64) async throws(StoreError) -> Bool {
        try open(toWrite: true)
        return state.withLock { state in
            guard let index = state.rows.firstIndex(where: { $0.id == id }), state.rows[index].state == .waiting,
                state.rows[index].attempts == attempts
            else { return false }
            state.rows[index].attempts += 1
            state.rows[index].nextAttemptAt = time + lease
            return true
        }
    }

    func releaseLeases(at time: Int64) async throws(StoreError) {}

    func shiftDeliveries(by step: Int64, to time: Int64) async throws(StoreError) {
        try open(toWrite: true)
        state.withLock { state in
            for index in state.rows.indices { state.rows[index].nextAttemptAt? += step }
        }
    }

    func settle(
        delivery id: String, _ attempt: DeliveryAttempt, _ outcome: DeliveryOutcome
    ) async throws(StoreError) {
        try open(toWrite: true)
        state.withLock { state in
            guard let index = state.rows.firstIndex(where: { $0.id == id }),
                state.rows[index].attempts == attempt.number
            else { return }
            state.attempts[id, default: []].append(attempt)
            switch outcome {
            case .delivered: state.rows[index].state = .delivered
            case .gaveUp: state.rows[index].state = .failed
            case .retry(let time):
                state.rows[index].nextAttemptAt = time
                let task = state.rows[index].task
                if state.rows[(index + 1)...].contains(where: { $0.task == task }) {
                    state.rows[index].state = .superseded
                }
            }
        }
        settled.put((id, attempt, outcome))
    }

    func redeliver(delivery id: String, at time: Int64) async throws(StoreError) {
        state.withLock { state in
            for index in state.rows.indices where state.rows[index].id == id {
                state.rows[index].state = .waiting
                state.rows[index].attempts = 0
                state.rows[index].nextAttemptAt = time
            }
        }
    }

    func deliveries(_ filter: DeliveryFilter, limit: Int) async throws(StoreError) -> [DeliveryRecord] {
        state.withLock { $0.rows.reversed() }
    }

    func attempts(delivery id: String) async throws(StoreError) -> [DeliveryAttempt] {
        state.withLock { $0.attempts[id] ?? [] }
    }
}

/// Receivers that answer when the test says so.
final class Receivers: CallbackSender {
    /// A message that waits for its answer.
    final class Call: Sendable {
        let message: CallbackMessage
        private let waiter: Lock<CheckedContinuation<Result<CallbackReply, CallbackFailure>, Never>?>

        init(_ message: CallbackMessage, _ waiter: CheckedContinuation<Result<CallbackReply, CallbackFailure>, Never>) {
            self.message = message
            self.waiter = Lock(waiter)
        }

        func answer(_ status: Int = 200, retryAfter: String? = nil) {
            end(.success(CallbackReply(status: status, retryAfter: retryAfter)))
        }

        func end(_ result: Result<CallbackReply, CallbackFailure>) {
            waiter.withLock { $0.take() }?.resume(returning: result)
        }

        func header(_ name: String) -> String? { message.headers.first { $0.name == name }?.value }
        var id: String { header("webhook-id") ?? "" }
    }

    let calls = Mailbox<Call>()
    let open = Lock<[Call]>([])
    /// The statuses to answer with at once, by URL.
    let answers = Lock<[String: Int]>([:])

    func send(_ message: CallbackMessage) async throws(CallbackFailure) -> CallbackReply {
        let made = Lock<Call?>(nil)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let call = Call(message, waiter)
                made.withLock { $0 = call }
                open.withLock { $0.append(call) }
                calls.put(call)
                if let status = answers.withLock({ $0[message.url] }) { call.answer(status) }
            }
        } onCancel: {
            made.withLock { $0 }?.end(.failure(CallbackFailure("cancelled", isCancelled: true)))
        }
        open.withLock { open in open.removeAll { $0 === made.withLock { $0 } } }
        return try result.get()
    }

    func refusal(of url: String) -> AddressRefusal? { url.contains("127.0.0.1") ? .address : nil }
}

/// Secrets that a test sets.
final class Secrets: WebhookSecretSource {
    static let old = WebhookSignature.secret(key: Array(repeating: 1, count: 32))
    static let new = WebhookSignature.secret(key: Array(repeating: 2, count: 32))
    let current = Lock<[Secret]>([Secrets.old])

    func secrets(of tenant: String, at now: Int64) async throws -> [Secret] { current.withLock { $0 } }
}

/// An observer that ignores everything.
struct Silence: GatewayObserver {
    func upstreamCall(_ call: KlingCall, _ end: UpstreamCallEnd) {}
    func event(_ level: GatewayEventLevel, _ message: StaticString, _ details: [(StaticString, String)]) {}
}

/// A delivery loop and everything that it needs.
struct DeliveryFixture {
    let loop: EventLoop
    let outbox: Outbox
    let receivers: Receivers
    let secrets = Secrets()
    let time = TestClock()
    let delivery: CallbackDelivery

    /// Runs `body` with a started loop, and stops it afterwards.
    static func run(
        outbox: Outbox = Outbox(), time: Int64 = 0, _ change: (inout CallbackDelivery.Policy) -> Void = { _ in },
        _ body: (DeliveryFixture) async throws -> Void
    ) async throws {
        let fixture = try DeliveryFixture(outbox: outbox, change)
        fixture.time.pass(.milliseconds(time))
        fixture.delivery.start()
        let failure: (any Error)?
        do { try await body(fixture); failure = nil } catch { failure = error }
        await fixture.delivery.stop(grace: .zero)
        fixture.loop.stop()
        if let failure { throw failure }
    }

    private init(outbox: Outbox, _ change: (inout CallbackDelivery.Policy) -> Void) throws {
        loop = try EventLoop(name: "delivery")
        receivers = Receivers()
        self.outbox = outbox
        var policy = CallbackDelivery.Policy(userAgent: "test/1")
        // Only kicks and the store's times wake the loop: a poll would hide that one of them is missing.
        policy.poll = .seconds(3600)
        change(&policy)
        delivery = CallbackDelivery(
            loop: loop, store: outbox, sender: receivers, secrets: secrets, observer: Silence(), policy: policy,
            clock: time.guarded, random: NoJitter())
    }

    var now: Int64 { time.wall }

    func add(_ id: String, task: TaskID, tenant: String = "shop", url: String = "https://shop.example/kling") {
        outbox.add(id, task: task, tenant: tenant, url: url, due: now)
    }

    /// Waits until the loop has read the outbox again and has nothing to start.
    func idle() async {
        let looks = outbox.state.withLock { $0.looks }
        delivery.kick()
        while outbox.state.withLock({ $0.looks }) < looks + 2 {
            await loop.run {}
            delivery.kick()
        }
        await loop.run {}
    }

    /// Advances the clock and wakes the loop.
    func pass(_ duration: Duration) {
        time.pass(duration)
        delivery.kick()
    }
}

/// A generator that always returns the middle, so that there is no jitter.
struct NoJitter: RandomNumberGenerator {
    func next() -> UInt64 { 1 << 52 }
}

/// New task ids.
func taskIDs(_ count: Int) -> [TaskID] {
    var ids = TaskIDGenerator()
    return (0..<count).map { _ in ids.next(at: 1) }
}
