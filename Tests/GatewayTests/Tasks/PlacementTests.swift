import Base
import EventLoop
import KlingAPI
import TaskStore
import TestKit
import Testing

@testable import Gateway

/// Where a create goes, by the state of the accounts and the queue.
@Suite(.onEventLoop, .timeLimit(.minutes(1))) struct PlacementTests {
    private typealias Fixture = TaskFixture<AnsweringKling>

    /// The state of the only account, which may run one task.
    enum Trouble: CaseIterable { case none, full, saturated, rateLimited, unavailable, packUsedUp, modelRefused }

    /// The kind of a place, or why there is none.
    enum Outcome: Equatable {
        case account(String)
        case queue
        case error(Cause)
    }

    private static let model = "kolors-virtual-try-on-v1"
    private static let bounds = QueueBounds(tasks: 2, bytes: 1 << 20, maxAge: 3_600_000)

    /// Runs `body` in front of accounts that are never called.
    private func run(
        _ accounts: [Account] = [account("main", concurrency: 1)], queue: QueueBounds? = bounds,
        _ body: @escaping @Sendable (Fixture, Placement) async throws -> Void
    ) async throws {
        let kling = AnsweringKling { _ in KlingReply(500, "") }
        try await Fixture.run(kling, accounts, queue: queue) { fixture in
            try await body(fixture, Placement(fixture.tasks.ledger, fixture.tasks.bodies))
            #expect(kling.calls.isEmpty)
        }
    }

    private static func create(
        _ fixture: Fixture, _ members: String = "", until deadline: MonotonicTime = .now
    ) async throws -> Create {
        let json = #"{\#(members)"human_image":"https://a.test/h.png","cloth_image":"https://a.test/c.png"}"#
        let request = try await TryOnRequest.parse(Bytes(Array(json.utf8)))
        var create = fixture.tasks.creates.prepare(
            request, JobFixture.principal(), nil, ExchangeNote(requestID: "r"))
        create.deadline = deadline
        return create
    }

    private static func outcome(_ placement: Placement, _ create: Create) async -> Outcome {
        do throws(GatewayError) {
            switch try await placement.reserve(for: create) {
            case .account(let destination): return .account(destination.account.name)
            case .queue: return .queue
            }
        } catch {
            return .error(error.cause)
        }
    }

    private static func outcome(_ placement: Placement, _ fixture: Fixture) async throws -> Outcome {
        await outcome(placement, try await create(fixture))
    }

    private static func bring(_ trouble: Trouble, on fixture: Fixture) {
        let accounts = fixture.tasks.accounts
        if trouble == .none { return }
        _ = accounts.reserve(id(1), model: model)
        let event: CreateEvent? =
            switch trouble {
            case .none, .full: nil
            case .saturated: .saturated
            case .rateLimited: .rateLimited
            case .unavailable: .unavailable
            case .packUsedUp: .packUsedUp
            case .modelRefused: .modelRefused
            }
        if let event { accounts.settled(id(1), on: "main", event) }
    }

    // MARK: The choice

    @Test(
        arguments: [
            (.none, .account("main"), .account("main")), (.full, .queue, .error(.accountsFull)),
            (.saturated, .queue, .error(.accountsFull)), (.rateLimited, .queue, .error(.accountsRateLimited)),
            (.unavailable, .queue, .error(.accountsCooling)),
            (.packUsedUp, .error(.accountsDisabled), .error(.accountsDisabled)),
            (.modelRefused, .error(.accountsDisabled), .error(.accountsDisabled)),
        ] as [(Trouble, Outcome, Outcome)])
    func `a create is queued only if its account will take it without the operator`(
        trouble: Trouble, withQueue: Outcome, without: Outcome
    ) async throws {
        for (bounds, expected) in [(Self.bounds, withQueue), (nil, without)] {
            try await run(queue: bounds) { fixture, placement in
                Self.bring(trouble, on: fixture)
                let outcome = try await Self.outcome(placement, fixture)
                #expect(outcome == expected)
                #expect(fixture.tasks.ledger.queue?.figures.tasks ?? 0 == (expected == .queue ? 1 : 0))
            }
        }
    }

    @Test func `an account that does not serve the model, or is excluded, gets nothing`() async throws {
        try await run([account("main", models: ["another"])]) { fixture, placement in
            let outcome = try await Self.outcome(placement, fixture)
            #expect(outcome == .error(.accountsDisabled))
        }
        try await run([account("main", weight: 100), account("second")]) { fixture, placement in
            var create = try await Self.create(fixture)
            create.excluding = ["main"]
            #expect(await Self.outcome(placement, create) == .account("second"))
            create.excluding = ["main", "second"]
            #expect(await Self.outcome(placement, create) == .error(.accountsDisabled))
        }
    }

    @Test func `a request that no account can express is refused, not queued`() async throws {
        let older = Account(
            name: "main", baseURL: "https://main.test", credential: .apiKey(Secret("unused")), concurrency: 1,
            dialect: .kolors)
        try await run([older]) { fixture, placement in
            Self.bring(.full, on: fixture)
            let create = try await Self.create(fixture, #""keep_face":false,"#)
            #expect(await Self.outcome(placement, create) == .error(.badParameter))
        }
    }

    // MARK: The queue

    @Test func `a full queue refuses a create for the reason on the account's side`() async throws {
        try await run(queue: QueueBounds(tasks: 1, bytes: 1 << 20, maxAge: 1)) { fixture, placement in
            Self.bring(.full, on: fixture)
            let outcomes = [try await Self.outcome(placement, fixture), try await Self.outcome(placement, fixture)]
            #expect(outcomes == [.queue, .error(.accountsFull)])
        }
        try await run(queue: QueueBounds(tasks: 9, bytes: 10, maxAge: 1)) { fixture, placement in
            Self.bring(.full, on: fixture)
            let outcome = try await Self.outcome(placement, fixture)
            #expect(outcome == .error(.accountsFull))
        }
    }

    @Test func `a place that was reserved in advance is used, even if the queue is full by now`() async throws {
        try await run(queue: QueueBounds(tasks: 1, bytes: 1 << 20, maxAge: 1)) { fixture, placement in
            Self.bring(.full, on: fixture)
            var create = try await Self.create(fixture)
            create.room = try #require(fixture.tasks.ledger.queue?.reserve(create.byteCount))
            #expect(await Self.outcome(placement, create) == .queue)
            #expect(fixture.tasks.ledger.queue?.figures.tasks == 1)
        }
    }

    // MARK: Waiting

    /// Starts to reserve a place for a create that waits for 10 minutes, and returns when it waits.
    private static func waiting(_ fixture: Fixture, _ placement: Placement) async throws -> Task<Outcome, Never> {
        let create = try await create(fixture, until: .now + .seconds(600))
        let waiter = fixture.loop.spawn { await outcome(placement, create) }
        while fixture.tasks.accounts.waiting == 0 {
            try Task.checkCancellation()
            await Task.yield()
        }
        return waiter
    }

    @Test func `a create that waits gets the slot that becomes free`() async throws {
        try await run { fixture, placement in
            Self.bring(.full, on: fixture)
            let outcome = try await Self.waiting(fixture, placement)
            fixture.tasks.accounts.settled(id(1), on: "main", .ended)
            #expect(await outcome.value == .account("main"))
        }
    }

    @Test func `a create whose client leaves while it waits is not queued`() async throws {
        try await run { fixture, placement in
            Self.bring(.full, on: fixture)
            let outcome = try await Self.waiting(fixture, placement)
            outcome.cancel()
            #expect(await outcome.value == .error(.accountsFull))
            #expect(fixture.tasks.ledger.queue?.figures.tasks == 0)
        }
    }

    @Test func `a place that is not used is free again`() async throws {
        try await run { fixture, placement in
            let create = try await Self.create(fixture)
            for _ in 0..<3 {
                let place = try await placement.reserve(for: create)
                guard case .account = place else {
                    Issue.record("no slot")
                    return
                }
                #expect(fixture.tasks.accounts.figures()[0].running == 1)
                placement.withdraw(create, from: place)
                #expect(fixture.tasks.accounts.figures()[0].running == 0)
            }
            Self.bring(.full, on: fixture)
            for _ in 0..<3 {
                placement.withdraw(create, from: try await placement.reserve(for: create))
                #expect(fixture.tasks.ledger.queue?.figures.tasks == 0)
            }
        }
    }
}
