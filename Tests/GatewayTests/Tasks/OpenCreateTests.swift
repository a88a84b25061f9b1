import Base
import EventLoop
import KlingAPI
import TestKit
import Testing

@testable import Gateway
@testable import TaskStore

/// Creates whose answers are lost, or do not come from Kling.
@Suite(.onEventLoop, .timeLimit(.minutes(5))) struct OpenCreateTests {
    private typealias Subject = TaskFixture<RecordingKling>

    /// Runs `body` with a gateway's tasks in front of a ``RecordingKling``.
    private func run(
        _ accounts: [Account], _ behaviour: RecordingKling.Behaviour,
        _ body: @escaping @Sendable (Subject) async throws -> Void
    ) async throws {
        let clock = VirtualClock()
        try await Subject.run(RecordingKling(behaviour, clock: clock), accounts, clock: clock, body)
    }

    private static func signed(_ name: String) -> Account {
        let signer = TokenSigner(accessKey: "access-key", secretKey: Secret("secret-key"))
        return Account(name: name, baseURL: "https://\(name).test", credential: .tokens(signer))
    }

    @Test(arguments: [0.3, 1.5, 4])
    func `a task that Kling is slow to know is found, and made only once`(lag: Double) async throws {
        let behaviour = RecordingKling.Behaviour(lag: .seconds(lag), lostAnswers: 1)
        try await run([Self.signed("main")], behaviour) { subject in
            let made = try await subject.create().get()
            #expect(made == subject.kling.createdTasks[0].id)
            #expect(subject.kling.createdTasks.count == 1)
        }
    }

    @Test(arguments: [0.3, 1.5, 4])
    func `nothing is sent twice if ids may not be unique`(lag: Double) async throws {
        let behaviour = RecordingKling.Behaviour(lag: .seconds(lag), isUnique: false, lostAnswers: 1)
        try await run([account("main", hasLookup: true)], behaviour) { subject in
            let made = try await subject.create().get()
            #expect(made == subject.kling.createdTasks[0].id)
            #expect(subject.kling.creates.count == 1)
        }
    }

    @Test func `a create that never arrived is resent after 4 seconds`() async throws {
        try await run([Self.signed("main")], RecordingKling.Behaviour(lostCreates: 1)) { subject in
            let made = try await subject.create().get()
            #expect(made == subject.kling.createdTasks[0].id)
            let times = subject.kling.creates.map(\.at)
            #expect(times.count == 2 && times[1] - times[0] == .seconds(4))
        }
    }

    @Test func `an account that makes two tasks for one id is reported and no longer trusted`() async throws {
        // Kling knows the first task too late for the look-up after 4 seconds, and soon enough for the check after 9.
        let behaviour = RecordingKling.Behaviour(lag: .seconds(7), isUnique: false, lostAnswers: 1)
        let account = Self.signed("main")
        try await run([account], behaviour) { subject in
            _ = try await subject.create()
            #expect(subject.kling.createdTasks.count == 2)
            #expect(await subject.events.next().contains("two tasks for one external_task_id"))
            #expect(!account.capabilities.hasUniqueIDs)
        }
    }

    @Test(
        arguments: [
            (401, "<html>"), (402, ""), (403, #"{"code":"insufficient_user_quota","message":"m","data":null}"#),
            (404, ""),
            (405, ""), (413, "<html>"), (501, ""),
            (503, #"{"error":{"message":"m","type":"new_api_error","code":"model_not_found"}}"#),
        ])
    func `the next account is tried at once after a refusal without Kling's envelope`(
        status: Int, body: String
    ) async throws {
        let behaviour = RecordingKling.Behaviour(refusals: ["first": (status, body)])
        let accounts = [account("first", weight: 100), account("second")]
        try await run(accounts, behaviour) { subject in
            let made = try await subject.create().get()
            #expect(made == subject.kling.createdTasks[0].id)
            // An account that denies the route or the model is tried with Kling's other API as well.
            let isTriedTwice = [404, 405, 501].contains(status) || body.contains("model_not_found")
            #expect(subject.kling.creates.map(\.account) == (isTriedTwice ? ["first"] : []) + ["first", "second"])
            #expect(subject.clock.now == moment(0))
        }
    }

    @Test(arguments: [(401, 503), (403, 503), (404, 503), (405, 503), (413, 413), (415, 415)])
    func `the only account's refusal is returned at once, and the client's id stays free`(
        status: Int, expected: Int
    ) async throws {
        try await run([account("main")], RecordingKling.Behaviour(refusals: ["main": (status, "")])) { subject in
            guard case .failure(let error) = try await subject.create() else {
                Issue.record("nothing was made")
                return
            }
            #expect((error.refusal?.status ?? error.cause.row.status) == expected, "\(error.message)")
            #expect(error.taskID == nil && subject.clock.now == moment(0))
            await #expect(throws: GatewayError.self) { _ = try await subject.query("mine") }
            // Its slot and its ids are free: the account is tried again unless it is disabled.
            subject.kling.change { $0.refusals = [:] }
            if expected != 503 {
                let made = try await subject.create().get()
                #expect(made == subject.kling.createdTasks[0].id)
            }
        }
    }

    @Test(
        arguments: [
            #"{"task_id":"999","task_status":"succeed","task_info":{"external_task_id":"ANOTHER"}}"#,
            #"{"task_id":"999","task_status":"succeed"}"#,
        ])
    func `another task is never adopted for an open create`(stranger: String) async throws {
        let behaviour = RecordingKling.Behaviour(lostAnswers: 1, stranger: stranger)
        try await run([account("main", hasLookup: nil)], behaviour) { subject in
            guard case .failure(let error) = try await subject.create(), let id = error.taskID else {
                Issue.record("the task was adopted")
                return
            }
            let task = try await subject.query(id)
            #expect(task?.taskID == id && task?.status == .submitted)
        }
    }

    @Test func `another task's state is never taken for that of a known task`() async throws {
        try await run([account("main", hasLookup: true)], RecordingKling.Behaviour()) { subject in
            let id = try await subject.create().get()
            subject.kling.change { $0.stranger = #"{"task_id":"999","task_status":"succeed"}"# }
            let task = try await subject.query(id)
            #expect(task?.taskID == id && task?.status == .submitted)
        }
    }

    @Test func `the gateway's id always finds a task, whatever its public id is`() async throws {
        try await run([Self.signed("main")], RecordingKling.Behaviour()) { subject in
            let id = try await subject.create().get()
            let record = try #require(try await subject.tasks.store.allTasks(named: id).first)
            #expect(try await subject.query(record.id.description)?.taskID == id)
        }
    }
}

extension TaskFixture<RecordingKling> {
    private static var json: String {
        #"{"human_image":"https://a.test/h.png","cloth_image":"https://a.test/c.png","external_task_id":"mine"}"#
    }

    /// Sends a create. Returns the id that its client gets, or the error.
    fileprivate func create() async throws -> Result<String, GatewayError> {
        let request = try await TryOnRequest.parse(Bytes(Array(Self.json.utf8)))
        do throws(GatewayError) {
            let body = try await tasks.creates.create(
                request, for: JobFixture.principal(), idempotency: nil, ExchangeNote(requestID: "r"))
            return .success(KlingAnswer(body)?.task?.taskID ?? "-")
        } catch {
            return .failure(error)
        }
    }

    fileprivate func query(_ id: String) async throws -> TaskObject? {
        let found = try await tasks.queries.query(id, tenant: "shop", ExchangeNote(requestID: "r"))
        return KlingAnswer(found.body)?.task
    }
}
