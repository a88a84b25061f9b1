import Base
import EventLoop
import KlingAPI
import TestKit
import Testing

@testable import Gateway
@testable import TaskStore

/// Creates whose answers are lost, or do not come from Kling.
@Suite(.aFewAtATime) struct OpenCreateTests {
    private static let json =
        #"{"human_image":"https://a.test/h.png","cloth_image":"https://a.test/c.png","external_task_id":"mine"}"#

    /// A gateway's tasks with a store of their own, in front of a ``BookKling``.
    private struct Subject {
        let kling: BookKling
        let tasks: TryOnTasks
        /// The events that the operator sees.
        let events: Mailbox<String>
        let loop: EventLoop

        static func run(
            _ accounts: [Account], _ behaviour: BookKling.Behaviour,
            _ body: @escaping @Sendable (Subject) async throws -> Void
        ) async throws {
            let folder = try TemporaryFolder()
            let loop = try EventLoop(name: "open")
            let (kling, events) = (BookKling(behaviour), Mailbox<String>())
            let store = try SQLiteTaskStore(path: folder.path("gateway.db"))
            let tasks = TryOnTasks(
                options: TryOnTasks.Options(), store: store,
                caller: KlingCaller(upstream: kling, observer: Operator(events: events)), accounts: Accounts(accounts),
                queue: nil,
                callbackDelivery: nil,
                callbackTokens: CallbackTokens(Vault(try MasterKey(Secret("a master key of some length")))),
                cache: TaskCache(capacity: 10, bytes: 1 << 20),
                watcher: Watcher(reader: KlingReader(), on: loop, seed: 1),
                loop: loop)
            try await Recovery(tasks: tasks).run()
            let outcome = await loop.spawn { () -> (any Error)? in
                do { try await body(Subject(kling: kling, tasks: tasks, events: events, loop: loop)) } catch {
                    return error
                }
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

        /// Sends a create. Returns the id that its client gets, or the error.
        func create() async throws -> Result<String, GatewayError> {
            let request = try await TryOnRequest.parse(Bytes(Array(OpenCreateTests.json.utf8)))
            do throws(GatewayError) {
                let body = try await tasks.creates.create(
                    request, for: JobFixture.principal(), idempotency: nil, ExchangeNote(requestID: "r"))
                return .success(KlingAnswer(body)?.task?.taskID ?? "-")
            } catch {
                return .failure(error)
            }
        }

        func query(_ id: String) async throws -> TaskObject? {
            let found = try await tasks.queries.query(id, tenant: "shop", ExchangeNote(requestID: "r"))
            return KlingAnswer(found.body)?.task
        }
    }

    private struct Operator: GatewayObserver {
        let events: Mailbox<String>
        func upstreamCall(_ call: KlingCall, _ end: UpstreamCallEnd) {}
        func event(_ level: GatewayEventLevel, _ message: StaticString, _ details: [(StaticString, String)]) {
            events.put("\(message)")
        }
    }

    private static func signed(_ name: String) -> Account {
        let signer = TokenSigner(accessKey: "access-key", secretKey: Secret("secret-key"))
        return Account(name: name, baseURL: "https://\(name).test", credential: .tokens(signer))
    }

    @Test(arguments: [0.3, 1.5, 4])
    func `a task that Kling is slow to know is found, and made only once`(lag: Double) async throws {
        let behaviour = BookKling.Behaviour(lag: .seconds(lag), lostAnswers: 1)
        try await Subject.run([Self.signed("main")], behaviour) { subject in
            let made = try await subject.create().get()
            #expect(made == subject.kling.book[0].id)
            #expect(subject.kling.book.count == 1)
        }
    }

    @Test(arguments: [0.3, 1.5, 4])
    func `nothing is sent twice if ids may not be unique`(lag: Double) async throws {
        let behaviour = BookKling.Behaviour(lag: .seconds(lag), isUnique: false, lostAnswers: 1)
        try await Subject.run([account("main", hasLookup: true)], behaviour) { subject in
            let made = try await subject.create().get()
            #expect(made == subject.kling.book[0].id)
            #expect(subject.kling.creates.count == 1)
        }
    }

    @Test func `a create that never arrived is resent after 4 seconds`() async throws {
        try await Subject.run([Self.signed("main")], BookKling.Behaviour(lostCreates: 1)) { subject in
            let made = try await subject.create().get()
            #expect(made == subject.kling.book[0].id)
            let times = subject.kling.creates.map(\.at)
            #expect(times.count == 2 && times[1] - times[0] >= .seconds(4))
        }
    }

    @Test func `an account that makes two tasks of one id is reported and no longer trusted`() async throws {
        let behaviour = BookKling.Behaviour(lag: .seconds(600), isUnique: false, lostAnswers: 1)
        let account = Self.signed("main")
        try await Subject.run([account], behaviour) { subject in
            _ = try await subject.create()
            #expect(subject.kling.book.count == 2)
            subject.kling.change { $0.lag = .zero }
            #expect(await subject.events.next().contains("two tasks of one external_task_id"))
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
        let behaviour = BookKling.Behaviour(refusals: ["first": (status, body)])
        let accounts = [account("first", weight: 100), account("second")]
        try await Subject.run(accounts, behaviour) { subject in
            let start = MonotonicTime.now
            let made = try await subject.create().get()
            #expect(made == subject.kling.book[0].id)
            // An account that denies the route or the model is tried with Kling's other API as well.
            let isTriedTwice = [404, 405, 501].contains(status) || body.contains("model_not_found")
            #expect(subject.kling.creates.map(\.account) == (isTriedTwice ? ["first"] : []) + ["first", "second"])
            #expect(MonotonicTime.now - start < LookUpPlan.clientWait / 5)
        }
    }

    @Test(arguments: [(401, 503), (403, 503), (404, 503), (405, 503), (413, 413), (415, 415)])
    func `the only account's refusal is returned at once, and the client's id stays free`(
        status: Int, told: Int
    ) async throws {
        try await Subject.run([account("main")], BookKling.Behaviour(refusals: ["main": (status, "")])) { subject in
            let start = MonotonicTime.now
            guard case .failure(let error) = try await subject.create() else {
                Issue.record("nothing was made")
                return
            }
            #expect((error.refusal?.status ?? error.cause.row.status) == told, "\(error.message)")
            #expect(error.taskID == nil && MonotonicTime.now - start < LookUpPlan.clientWait / 5)
            await #expect(throws: GatewayError.self) { _ = try await subject.query("mine") }
            // Its slot and its ids are free: the account is tried again unless it is disabled.
            subject.kling.change { $0.refusals = [:] }
            if told != 503 {
                let made = try await subject.create().get()
                #expect(made == subject.kling.book[0].id)
            }
        }
    }

    @Test(
        arguments: [
            #"{"task_id":"999","task_status":"succeed","task_info":{"external_task_id":"ANOTHER"}}"#,
            #"{"task_id":"999","task_status":"succeed"}"#,
        ])
    func `another task is never adopted for an open create`(stranger: String) async throws {
        let behaviour = BookKling.Behaviour(lostAnswers: 1, stranger: stranger)
        try await Subject.run([account("main", hasLookup: nil)], behaviour) { subject in
            guard case .failure(let error) = try await subject.create(), let id = error.taskID else {
                Issue.record("it was taken")
                return
            }
            let task = try await subject.query(id)
            #expect(task?.taskID == id && task?.status == .submitted)
        }
    }

    @Test func `another task's state is never taken for that of a known task`() async throws {
        try await Subject.run([account("main", hasLookup: true)], BookKling.Behaviour()) { subject in
            let id = try await subject.create().get()
            subject.kling.change { $0.stranger = #"{"task_id":"999","task_status":"succeed"}"# }
            let task = try await subject.query(id)
            #expect(task?.taskID == id && task?.status == .submitted)
        }
    }

    @Test func `the gateway's id always finds a task, whatever its public id is`() async throws {
        try await Subject.run([Self.signed("main")], BookKling.Behaviour()) { subject in
            let id = try await subject.create().get()
            let record = try #require(try await subject.tasks.store.allTasks(named: id).first)
            #expect(try await subject.query(record.id.description)?.taskID == id)
        }
    }
}
