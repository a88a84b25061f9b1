import Base
import EventLoop
import Foundation
import HTTPServer
import KlingAPI
import TestKit
import Testing

/// A client's receiver of callbacks: it records what it is sent, and answers as the test wants.
final class CallbackLog: HTTPResponder {
    /// One POST.
    struct Message: Sendable {
        let path, id, status: String
        let taskID, externalTaskID: String?
        let isSigned: Bool
        /// The status it was answered with.
        let answer: Int
    }

    private struct State {
        var received: [Message] = []
        var secret = Secret("")
        var refusals: [String: Int] = [:]
    }

    private let state = Lock(State())

    /// Everything that was sent to `path`.
    func received(_ path: String = "/") -> [Message] { state.withLock { $0.received.filter { $0.path == path } } }

    /// The task statuses that were sent and answered 200, in the order in which they came.
    func statuses(_ path: String = "/") -> [String] { received(path).filter { $0.answer == 200 }.map(\.status) }

    /// Checks signatures from now on.
    func verify(with secret: String) { state.withLock { $0.secret = Secret(secret) } }

    /// Answers the next `times` messages that have this task status with 500.
    func refuse(_ status: String, times: Int) { state.withLock { $0.refusals[status] = times } }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        guard let bytes = try? await request.body.collect(limit: 1 << 20, owner: "") else {
            return HTTPResponse(status: 400)
        }
        let body = bytes.withUnsafeBytes { Array($0) }
        let task = TaskObject(body)
        let (headers, path) = (request.headers, request.head.path)
        let status = task?.status?.rawValue ?? ""
        let id = headers["webhook-id"] ?? ""
        let proof = (time: headers["webhook-timestamp"] ?? "", signature: headers["webhook-signature"] ?? "")
        let answer = state.withLock { state in
            let isSigned = WebhookSignature(state.secret)?
                .verify(id: id, timestamp: proof.time, body: body, header: proof.signature, now: Int(WallClock.seconds))
            let refusals = state.refusals[status] ?? 0
            state.refusals[status] = refusals - 1
            state.received.append(
                Message(
                    path: path, id: id, status: status, taskID: task?.taskID, externalTaskID: task?.externalTaskID,
                    isSigned: isSigned ?? false, answer: refusals > 0 ? 500 : 200))
            return refusals > 0 ? 500 : 200
        }
        return HTTPResponse(status: answer)
    }

    /// Runs `body` with a listening log and its URL.
    static func run(_ body: (CallbackLog, String) async throws -> Void) async throws {
        let log = CallbackLog()
        try await LoopbackServer.run(log) { try await body(log, $0.url + "/") }
    }
}

/// Callbacks through the built binary: from Kling to the gateway, and from the gateway to its clients.
@Suite(.aFewAtATime) struct CallbackDeliveryTests {
    private static let hour = 3_600_000...3_600_000
    private static let words = ["submitted", "processing", "succeed"]

    /// Allows callbacks to this machine.
    private static let settings = "callbacks: { allow: [127.0.0.0/8] }\nquery: { freshness: 50ms }\n"

    private func callback(_ url: String, _ more: String = "") -> String {
        #""callback_url":"\#(url)"\#(more.isEmpty ? "" : ",")\#(more)"#
    }

    @Test(arguments: [false, true])
    func `a client is sent every observed state once, in order and signed`(publicURL: Bool) async throws {
        try await CallbackLog.run { log, url in
            try await Rig.run(settings: Self.settings, isPublic: publicURL, duration: 2000...2000) { rig in
                log.verify(with: try await rig.command("webhooks", "secret", "--tenant", "shop").trimmed)
                var ids: [String] = []
                for number in 0..<5 {
                    let members = callback(url + "\(number)", #""external_task_id":"n\#(number)""#)
                    ids.append(try await rig.createdTask(members))
                }
                #expect(rig.kling.tasks.allSatisfy { ($0.callbackURL != nil) == publicURL })
                #expect(rig.kling.tasks.allSatisfy { $0.callbackURL?.contains(url) != true })
                for number in 0..<5 {
                    try await eventually("the end is reported") { log.statuses("/\(number)").last == "succeed" }
                    let received = log.received("/\(number)")
                    #expect(received.first?.status == "submitted")
                    #expect(received.map(\.status) == Self.words.filter(Set(received.map(\.status)).contains))
                    #expect(received.allSatisfy { $0.isSigned && $0.taskID == ids[number] })
                    #expect(received.allSatisfy { $0.externalTaskID == "n\(number)" })
                    #expect(Set(received.map(\.id)).count == received.count)
                }
            }
        }
    }

    @Test func `the final state is redelivered as the same message until it is accepted`() async throws {
        try await CallbackLog.run { log, url in
            try await Rig.run(settings: Self.settings, duration: 1...1) { rig in
                log.refuse("succeed", times: 1)
                let id = try await rig.createdTask(callback(url))
                try await eventually("it has ended") { try await rig.status(id) == "succeed" }
                try await eventually("the message of the end is accepted") { log.statuses().last == "succeed" }
                let ends = log.received().filter { $0.status == "succeed" }
                #expect(ends.map(\.answer) == [500, 200])
                #expect(Set(ends.map(\.id)).count == 1)
            }
        }
    }

    @Test func `a final state that is first observed after a crash is delivered`() async throws {
        try await CallbackLog.run { log, url in
            try await Rig.run(settings: Self.settings, isPublic: true, duration: 1000...1000) { rig in
                for fault in ["callback:lost", "query:http-500", "list:http-500"] { try rig.fail(fault) }
                let id = try await rig.createdTask(callback(url))
                try await eventually("its beginning is reported") { log.statuses() == ["submitted"] }
                let end = try #require(rig.kling.tasks.first).endsAt
                try await eventually("it has ended") { WallClock.milliseconds > Int64(end) }
                try await rig.kill()
                #expect(log.statuses() == ["submitted"])
                rig.kling.removeFaults()
                try await rig.start()
                try await eventually("its end is reported") { log.statuses().last == "succeed" }
                #expect(log.received().map(\.status) == ["submitted", "succeed"])
                #expect(log.received().allSatisfy { $0.taskID == id })
            }
        }
    }

    @Test func `a final state that was refused before a crash is redelivered after it`() async throws {
        try await CallbackLog.run { log, url in
            try await Rig.run(settings: Self.settings, duration: 1...1) { rig in
                log.refuse("succeed", times: 1)
                let id = try await rig.createdTask(callback(url))
                try await eventually("it has ended") { try await rig.status(id) == "succeed" }
                try await eventually("its end is refused") { log.received().contains { $0.answer == 500 } }
                try await rig.kill()
                try await rig.start()
                try await eventually("the message of its end is accepted") { log.statuses().last == "succeed" }
                #expect(Set(log.received().filter { $0.status == "succeed" }.map(\.id)).count == 1)
            }
        }
    }

    @Test func `a queued task that fails unsent sends a callback`() async throws {
        try await CallbackLog.run { log, url in
            let settings = Self.settings + "dispatch: { wait: 0s }\nqueue: { max_age: 1s }\n"
            try await Rig.run(settings: settings) { rig in
                try rig.fail("create:1303")
                let id = try await rig.createdTask(callback(url))
                try await eventually("its end is reported") { log.statuses() == ["submitted", "failed"] }
                #expect(log.received().allSatisfy { $0.taskID == id })
            }
        }
    }

    @Test func `a queued task that the operator cancels sends a callback`() async throws {
        try await CallbackLog.run { log, url in
            try await Rig.run(settings: Self.settings + "dispatch: { wait: 0s }\n") { rig in
                try rig.fail("create:1303")
                let id = try await rig.createdTask(callback(url))
                try await eventually("it can be cancelled") {
                    (try? await rig.command("tasks", "cancel", id)) != nil
                }
                try await eventually("its end is reported") { log.statuses() == ["submitted", "failed"] }
            }
        }
    }

    @Test func `a refused create sends no callback`() async throws {
        try await CallbackLog.run { log, url in
            try await Rig.run(settings: Self.settings, duration: Self.hour) { rig in
                try rig.fail("create:1301:1:1")
                #expect(try await rig.create(callback(url + "refused")).status == 400)
                _ = try await rig.createdTask(callback(url + "made"))
                try await eventually("a later one calls") { log.statuses("/made") == ["submitted"] }
                #expect(log.received("/refused").isEmpty)
            }
        }
    }

    // MARK: From Kling

    /// Posts a callback as Kling would, to the URL that Kling was given.
    /// - Parameter secret: the secret that signs it.
    private func forge(
        _ rig: Rig, to url: String, headers: [String] = [], secret: String? = nil
    ) async throws -> RawClient.Answer {
        let task = try #require(rig.kling.tasks.first)
        let body =
            #"{"task_id":"\#(task.id)","task_status":"succeed","task_status_msg":"","task_info":"#
            + #"{"external_task_id":"\#(task.externalTaskID ?? "")"},"task_result":{"images":[{"index":0,"#
            + #""url":"https://evil.example/x.png"}]},"created_at":1,"updated_at":2}"#
        let path = try #require(URL(string: url)?.path())
        var headers = headers
        if let signature = secret.flatMap({ WebhookSignature(Secret($0)) }) {
            let now = Int(WallClock.seconds)
            let proof = signature.sign(id: "msg_1", timestamp: now, body: Array(body.utf8))
            headers += ["webhook-id: msg_1", "webhook-timestamp: \(now)", "webhook-signature: \(proof)"]
        }
        return try await rig.gateway.ask("POST", path, key: nil, headers: headers, body: body)
    }

    @Test func `a forged callback changes nothing`() async throws {
        try await CallbackLog.run { log, url in
            try await Rig.run(settings: Self.settings, isPublic: true, duration: Self.hour) { rig in
                let id = try await rig.createdTask(callback(url))
                let address = try #require(rig.kling.tasks.first?.callbackURL)
                #expect(!address.contains(id) && !address.contains(url))
                // Someone who knows the URL can only make the gateway ask Kling.
                let asked = rig.kling.figures.reduce(0) { $0 + $1.queries + $1.lists }
                #expect(try await forge(rig, to: address).status == 200)
                try await eventually("Kling is asked") {
                    rig.kling.figures.reduce(0) { $0 + $1.queries + $1.lists } > asked
                }
                var other = address
                let index = other.index(other.endIndex, offsetBy: -20)
                other.replaceSubrange(index...index, with: other[index] == "A" ? "B" : "A")
                #expect(try await forge(rig, to: other).status == 404)
                #expect(try await forge(rig, to: "http://a/callbacks/kling/" + id).status == 404)
                #expect(try await rig.status(id) == "submitted")
                #expect(try await !rig.query(id).text.contains("evil"))
                #expect(try await rig.listed() == [id: "submitted"])
                try await eventually("its beginning is reported") { !log.received().isEmpty }
                #expect(log.received().map(\.status) == ["submitted"])
            }
        }
    }

    @Test func `with a webhook secret, a wrong signature is refused and a missing one is only a hint`() async throws {
        let secret = "whsec_" + Data(repeating: 7, count: 32).base64EncodedString()
        let account = Rig.Account(name: "kling", settings: "lookup: yes, webhook_secret: \(secret)")
        try await Rig.run([account], settings: Self.settings, isPublic: true, duration: Self.hour) { rig in
            let id = try await rig.createdTask()
            let address = try #require(rig.kling.tasks.first?.callbackURL)
            let signature = Data(repeating: 1, count: 32).base64EncodedString()
            let forged = [
                "webhook-id: msg_1", "webhook-timestamp: \(WallClock.seconds)", "webhook-signature: v1,\(signature)",
            ]
            #expect(try await forge(rig, to: address, headers: forged).status == 401)
            #expect(try await forge(rig, to: address, headers: ["webhook-signature: v1,"]).status == 401)
            #expect(try await forge(rig, to: address).status == 200)
            #expect(try await rig.status(id) == "submitted")
        }
    }

    @Test func `with a webhook secret, a signed callback counts even if Kling cannot be queried`() async throws {
        let secret = "whsec_" + Data(repeating: 7, count: 32).base64EncodedString()
        let other = "whsec_" + Data(repeating: 8, count: 32).base64EncodedString()
        let account = Rig.Account(name: "kling", settings: "lookup: yes, webhook_secret: \(secret)")
        try await Rig.run([account], settings: Self.settings, isPublic: true, duration: Self.hour) { rig in
            for fault in ["callback:lost", "query:http-500", "list:http-500"] { try rig.fail(fault) }
            let id = try await rig.createdTask()
            let address = try #require(rig.kling.tasks.first?.callbackURL)
            #expect(try await forge(rig, to: address, secret: other).status == 401)
            #expect(try await rig.status(id) == "submitted")
            #expect(try await forge(rig, to: address, secret: secret).status == 200)
            let answer = try await rig.query(id)
            #expect(answer.data["task_status"] as? String == "succeed", "\(answer.text)")
            #expect(answer.data["task_id"] as? String == id && answer["x-kling-gateway-stale"] == nil)
        }
    }
}

extension String {
    fileprivate var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
