import Base
import EventLoop
import HTTPServer
import KlingAPI
import TestKit
import Testing

@testable import Gateway
@testable import TaskStore

/// What one create does to its task's record, to the account and to the operator's log.
@Suite(.onEventLoop, .timeLimit(.minutes(1))) struct CreateAttemptTests {
    private typealias Fixture = TaskFixture<AnsweringKling>
    private typealias Reply = Result<KlingReply, KlingFailure>

    private static let task = id(7)

    /// The outcome in a few words.
    private static func word(_ attempt: Attempt) -> String {
        switch attempt {
        case .accepted(let record, _): "accepted as \(record.publicID ?? "-")"
        case .refused(let status, let answer): "refused \(status) \(answer.code.rawValue)"
        case .declined: "declined"
        case .unsuitable(let error): "unsuitable: \(error.message)"
        case .open(let timedOut): timedOut ? "open after a timeout" : "open"
        }
    }

    /// Runs `body` with an account whose APIs answer as given. A task's record names the account, where it has a slot.
    private func run(
        _ account: Account = account("main", hasLookup: true), kolors: Reply,
        solutions: Reply = .success(KlingReply(404, "")), isRecorded: Bool = true,
        _ body: @escaping @Sendable (Fixture) async throws -> Void
    ) async throws {
        let kling = AnsweringKling { call throws(KlingFailure) in
            try (call.path == TryOn.path ? kolors : solutions).get()
        }
        try await Fixture.run(kling, [account]) { fixture in
            if isRecorded {
                try await fixture.store.begin(
                    NewTask(
                        id: Self.task, tenant: "shop",
                        assignment: Assignment(account: "main", api: account.capabilities.dialect.rawValue), model: "m",
                        createdAt: 1))
            }
            try #require(fixture.tasks.accounts.reserve(Self.task, model: "m") != nil)
            try await body(fixture)
        }
    }

    private static func attempt(
        _ fixture: Fixture, _ note: ExchangeNote? = nil,
        body: (Destination) async throws(GatewayError) -> [ByteSlice] = { _ in [ByteSlice(copying: "{}")] }
    ) async throws(GatewayError) -> (attempt: Attempt, to: Destination) {
        let account = fixture.tasks.accounts.all[0]
        return try await fixture.tasks.attempts.attempt(task, at: Destination(account), note, body: body)
    }

    private static func made(_ id: String) -> Reply {
        .success(KlingReply(200, #"{"code":0,"data":{"task_id":"\#(id)","task_status":"submitted"}}"#))
    }

    private static func says(_ status: Int, _ body: String) -> Reply { .success(KlingReply(status, body)) }

    // MARK: Outcomes

    /// An answer; the outcome; how many slots are taken after it, the account's state, and the task's.
    private static let outcomes: [(Reply, String, running: Int, AccountFigures.State, TaskState)] = [
        (made("k-1"), "accepted as k-1", 1, .healthy, .submitted),
        (says(400, #"{"code":1201,"message":"no"}"#), "refused 400 1201", 0, .healthy, .intent),
        (says(429, #"{"code":1302}"#), "declined", 0, .cooling, .intent),
        (says(429, #"{"code":1303}"#), "declined", 0, .saturated, .intent),
        (says(429, #"{"code":1102}"#), "declined", 0, .disabled, .intent),
        (says(503, #"{"code":5001}"#), "declined", 0, .cooling, .intent),
        (says(403, #"{"code":1103}"#), "declined", 0, .healthy, .intent),
        (says(401, ""), "declined", 0, .disabled, .intent),
        (says(500, #"{"code":5000}"#), "open", 1, .healthy, .intent),
        (says(504, ""), "open after a timeout", 1, .healthy, .intent),
        (says(200, "<html>"), "open", 1, .healthy, .intent),
        (.failure(KlingFailure(.timeout, wasSent: true, detail: "")), "open after a timeout", 1, .healthy, .intent),
        (.failure(KlingFailure(.unreachable, wasSent: false, detail: "")), "declined", 0, .cooling, .intent),
    ]

    @Test(arguments: outcomes.indices)
    func `each outcome settles the slot, the account and the record`(row: Int) async throws {
        let (reply, word, running, state, recorded) = Self.outcomes[row]
        try await run(kolors: reply) { fixture in
            let note = ExchangeNote(requestID: "r")
            let (attempt, destination) = try await Self.attempt(fixture, note)
            #expect(Self.word(attempt) == word && destination.dialect == .kolors)
            let figures = fixture.tasks.accounts.figures()[0]
            #expect(figures.running == running && figures.state == state)
            #expect(try await fixture.store.task(Self.task)?.state == recorded)
            #expect(fixture.events.count == (state == .healthy ? 0 : 1))
            #expect(note.account == "main" && note.upstreamTime != nil)
            #expect(fixture.kling.calls.count == 1)
        }
    }

    @Test func `a log line names the state of an account that has changed it, with Kling's reason`() async throws {
        try await run(kolors: Self.says(429, #"{"code":1102,"message":"used up"}"#)) { fixture in
            _ = try await Self.attempt(fixture)
            try #require(fixture.events.count == 1)
            #expect(
                await fixture.events.next()
                    == "an account has changed its state: account=main state=disabled code=1102 reason=used up")
        }
    }

    @Test func `a log line says that an account is healthy again`() async throws {
        try await run(kolors: Self.made("k-1")) { fixture in
            let accounts = fixture.tasks.accounts
            accounts.settled(Self.task, on: "main", .packUsedUp)
            accounts.probed("main", .answered)
            try #require(accounts.reserve(Self.task, model: "m") != nil)
            _ = try await Self.attempt(fixture)
            try #require(fixture.events.count == 1)
            #expect(
                await fixture.events.next()
                    == "an account has changed its state: account=main state=healthy code=- reason=-")
        }
    }

    @Test func `a duplicate shows that the account's ids are unique, and leaves the create open`() async throws {
        let account = account("main", hasLookup: true)
        let reply = Self.says(400, #"{"code":1201,"message":"external_task_id already exists"}"#)
        try await run(account, kolors: reply) { fixture in
            #expect(!account.capabilities.hasUniqueIDs)
            let attempt = try await Self.attempt(fixture).attempt
            #expect(Self.word(attempt) == "open")
            #expect(account.capabilities.hasUniqueIDs)
        }
    }

    @Test func `an acceptance that has no record leaves Kling's id in the log`() async throws {
        try await run(kolors: Self.made("k-1"), isRecorded: false) { fixture in
            let attempt = try await Self.attempt(fixture).attempt
            #expect(Self.word(attempt) == "open")
            try #require(fixture.events.count == 1)
            let event = await fixture.events.next()
            #expect(event.hasPrefix("an accepted task could not be recorded") && event.contains("upstream_id=k-1"))
        }
    }

    // MARK: The other API

    private static let noRoute = says(404, "")
    private static let gone = says(404, #"{"code":1202,"message":"gone"}"#)

    /// The answers of the API that the account is thought to speak, and of the other one; the outcome, whether the
    /// other API is known to be right after it, and which API the record names.
    private static let alternatives: [(Reply, Reply, String, isOther: Bool, api: KlingDialect)] = [
        (noRoute, made("k-2"), "accepted as k-2", true, .solutions),
        (gone, made("k-2"), "accepted as k-2", true, .solutions),
        (says(400, #"{"code":1201,"message":"no such model"}"#), made("k-2"), "accepted as k-2", true, .solutions),
        (noRoute, says(400, #"{"code":1301,"message":"no"}"#), "refused 400 1301", true, .solutions),
        (noRoute, says(500, #"{"code":5000}"#), "open", true, .solutions),
        (
            noRoute, .failure(KlingFailure(.interrupted, wasSent: true, detail: "")), "open", false, .solutions
        ),
        // The account has neither: the first answer counts.
        (noRoute, noRoute, "declined", false, .solutions), (gone, noRoute, "refused 404 1202", false, .solutions),
        // The other API is not tried.
        (says(400, #"{"code":1201,"message":"no"}"#), made("k-2"), "refused 400 1201", false, .kolors),
        (says(500, ""), made("k-2"), "open", false, .kolors),
    ]

    @Test(arguments: alternatives.indices)
    func `an account that denies the route is tried with its other API`(row: Int) async throws {
        let (first, second, word, isOther, api) = Self.alternatives[row]
        let account = account("main", hasLookup: true)
        try await run(account, kolors: first, solutions: second) { fixture in
            let (attempt, _) = try await Self.attempt(fixture)
            #expect(Self.word(attempt) == word)
            #expect(account.capabilities.dialect == (isOther ? .solutions : .kolors))
            #expect(try await fixture.store.task(Self.task)?.assignment?.api == api.rawValue)
            #expect(fixture.kling.calls.count == (api == .solutions ? 2 : 1))
        }
    }

    @Test func `an account whose API is configured is not tried with another`() async throws {
        let account = Account(
            name: "main", baseURL: "https://main.test", credential: .apiKey(Secret("unused")), hasLookup: true,
            dialect: .kolors)
        try await run(account, kolors: Self.gone, solutions: Self.made("k-2")) { fixture in
            let attempt = try await Self.attempt(fixture).attempt
            #expect(Self.word(attempt) == "refused 404 1202")
            #expect(fixture.kling.calls.count == 1)
        }
    }

    // MARK: Bodies

    private static let inexpressible = GatewayError(.badParameter, "not in this API", parameter: "keep_face")

    /// The APIs that cannot express the request; the first answer; the outcome, and the number of calls.
    private static let bodies: [(Set<KlingDialect>, Reply, String, calls: Int)] = [
        ([.kolors], noRoute, "accepted as k-2", 1),
        ([.kolors, .solutions], noRoute, "unsuitable: not in this API", 0),
        // Only Kling itself can say that its route is gone; a proxy's 404 may be about anything.
        ([.solutions], gone, "unsuitable: not in this API", 1), ([.solutions], noRoute, "declined", 1),
    ]

    @Test(arguments: bodies.indices)
    func `a request is sent only with an API that can express it`(row: Int) async throws {
        let (excluded, first, word, calls) = Self.bodies[row]
        try await run(kolors: first, solutions: Self.made("k-2")) { fixture in
            let (attempt, _) = try await Self.attempt(fixture) { to throws(GatewayError) in
                if excluded.contains(to.dialect) { throw Self.inexpressible }
                return [ByteSlice(copying: "{}")]
            }
            #expect(Self.word(attempt) == word && fixture.kling.calls.count == calls)
            let isRunning = if case .accepted = attempt { true } else { false }
            #expect(fixture.tasks.accounts.figures()[0].running == (isRunning ? 1 : 0))
        }
    }

    @Test func `a body that cannot be made now sends nothing and keeps the slot for the caller`() async throws {
        try await run(kolors: Self.made("k-1")) { fixture in
            let error = await #expect(throws: GatewayError.self) {
                _ = try await Self.attempt(fixture) { _ throws(GatewayError) in throw GatewayError(.noMemory, "later") }
            }
            #expect(error?.cause == .noMemory && fixture.kling.calls.isEmpty)
            #expect(fixture.tasks.accounts.figures()[0].running == 1)
        }
    }
}
