import Base
import EventLoop
import HTTPServer
import KlingAPI
import TestKit
import Testing

@testable import Gateway
@testable import TaskStore

@Suite(.onEventLoop) struct InboundTests {
    private static let secret = Secret("whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI=")

    private func vault(_ key: String = "a master key of some length") throws -> Vault {
        Vault(try MasterKey(Secret(key)))
    }

    // MARK: Tokens

    @Test func `a token names its task, and no other text does`() throws {
        let tokens = CallbackTokens(try vault())
        let task = taskIDs(1)[0]
        let token = tokens.token(of: task)
        #expect(tokens.task(of: token) == task)
        #expect(
            tokens.url(publicURL: "https://g.example/x", task: task) == "https://g.example/x/callbacks/kling/\(token)")
        #expect(token.utf8.allSatisfy { $0 == 0x2D || $0 == 0x5F || UInt8(ascii: "0") <= $0 })
        var wrong = ["", "x", task.description, String(token.dropLast()), token + "A", token + "=", "é" + token]
        wrong += [token.lowercased(), task.description.lowercased() + String(token.dropFirst(26))]
        for index in token.indices {
            wrong.append(token.replacingCharacters(at: index, with: token[index] == "A" ? "B" : "A"))
        }
        for text in wrong { #expect(tokens.task(of: text) == nil, "\(text)") }
        #expect(CallbackTokens(try vault("another master key, as long")).task(of: token) == nil)
    }

    @Test(arguments: [
        ("/callbacks/kling/abc", "/callbacks/kling/"), ("//x/callbacks/kling/abc", "//x/callbacks/kling/"),
        ("/v1/images", "/v1/images"), ("/callbacks/kling/", "/callbacks/kling/"),
    ])
    func `a logged path has no token`(path: String, logged: String) {
        #expect(CallbackTokens.withheld(from: path) == logged)
    }

    @Test func `a token with an empty code is refused`() throws {
        #expect(CallbackTokens(try vault()).task(of: taskIDs(1)[0].description + "=") == nil)
    }

    // MARK: Trust

    /// Records what the gateway would do with callbacks.
    private final class Receiver: CallbackReceiver {
        let record: TaskRecord?
        let isBroken: Bool
        let seen = Lock<[String]>([])

        init(_ record: TaskRecord?, isBroken: Bool = false) { (self.record, self.isBroken) = (record, isBroken) }

        func record(of task: TaskID) async throws(StoreError) -> TaskRecord? {
            if isBroken { throw StoreError(.busy, "down") }
            return record?.id == task ? record : nil
        }
        func observed(_ task: TaskID, _ object: TaskObject) async {
            seen.withLock { $0.append("observed \(object.status?.rawValue ?? "")") }
        }
        func hint(_ task: TaskID) async { seen.withLock { $0.append("hint") } }
    }

    private static let now = 1_781_080_794

    private func record(upstreamID: String? = "815", account: String = "signing") -> TaskRecord {
        var record = TaskRecord(
            NewTask(
                id: taskIDs(1)[0], tenant: "shop", assignment: Assignment(account: account), model: "m", createdAt: 1))
        record.upstreamID = upstreamID
        return record
    }

    private func outcome(
        _ body: String, _ record: TaskRecord, proof: InboundCallbacks.Proof?
    ) async throws -> [String] {
        let receiver = Receiver(record)
        let inbound = InboundCallbacks(
            tokens: CallbackTokens(try vault()), secrets: ["signing": [Self.secret]], receiver: receiver)
        do {
            try await inbound.receive(Array(body.utf8), proof, about: record, now: Self.now)
        } catch {
            #expect(receiver.seen.withLock { $0 }.isEmpty)
            return ["\(error.cause.row.status)"]
        }
        return receiver.seen.withLock { $0 }
    }

    private func proof(_ body: String, at time: Int = now) throws -> InboundCallbacks.Proof {
        let signature = try #require(WebhookSignature(Self.secret))
        return InboundCallbacks.Proof(
            id: "1", timestamp: String(time),
            signature: signature.sign(id: "1", timestamp: time, body: Array(body.utf8)))
    }

    private static let done = #"{"task_id":"815","task_status":"succeed","updated_at":9}"#

    @Test func `a signed callback is trusted`() async throws {
        #expect(try await outcome(Self.done, record(), proof: proof(Self.done)) == ["observed succeed"])
    }

    @Test func `a callback about an open create is matched by the gateway's id`() async throws {
        let open = record(upstreamID: nil)
        let body = #"{"task_id":"9","task_status":"submitted","task_info":{"external_task_id":"\#(open.id)"}}"#
        #expect(try await outcome(body, open, proof: proof(body)) == ["observed submitted"])
        #expect(try await outcome(Self.done, open, proof: proof(Self.done)) == ["hint"])
    }

    @Test func `a callback without a signature or a secret is only a hint`() async throws {
        #expect(try await outcome(Self.done, record(), proof: nil) == ["hint"])
        #expect(try await outcome(Self.done, record(account: "other"), proof: proof(Self.done)) == ["hint"])
        #expect(try await outcome(Self.done, record(account: "other"), proof: nil) == ["hint"])
    }

    @Test func `a signed callback about another task or without a state is only a hint`() async throws {
        for body in [#"{"task_id":"816","task_status":"failed"}"#, #"{"task_id":"815"}"#, "{}"] {
            #expect(try await outcome(body, record(), proof: proof(body)) == ["hint"])
        }
    }

    @Test(arguments: [301, -301]) func `an old or early signature is refused`(distance: Int) async throws {
        #expect(
            try await outcome(Self.done, record(), proof: proof(Self.done, at: Self.now + distance)) == ["401"])
    }

    @Test func `a wrong signature or a changed body is refused`() async throws {
        var wrong = try proof(Self.done)
        #expect(try await outcome(Self.done + " ", record(), proof: wrong) == ["401"])
        wrong.signature = "v1,AAAA"
        #expect(try await outcome(Self.done, record(), proof: wrong) == ["401"])
        #expect(
            try await outcome(Self.done, record(), proof: .init(id: "", timestamp: "", signature: "")) == ["401"])
    }

    @Test(arguments: ["", "x", "[]", "null", #"{"task_id":"#]) func `a non-object body is refused`(body: String)
        async throws
    {
        #expect(try await outcome(body, record(), proof: nil) == ["400"])
    }

    @Test func `the published test vector verifies`() async throws {
        let body =
            #"{"id":"1234567890","status":"succeeded","message":"","create_time":1781080778802,"update_time":1781080794151}"#
        let vector = InboundCallbacks.Proof(
            id: "9876543210", timestamp: "1781080794", signature: "v1,UsKlJP00XoQyOn410NM9xv34sP+Gl0jnOO9Lcpr7NJ4=")
        // Signed, but in the format of another API, so it is only a hint.
        #expect(try await outcome(body, record(), proof: vector) == ["hint"])
    }

    @Test func `a wrong token is an unknown path, but a store outage is not`() async throws {
        let tokens = CallbackTokens(try vault())
        let task = record()
        func cause(_ token: String, _ receiver: Receiver) async -> Cause? {
            do {
                _ = try await InboundCallbacks(tokens: tokens, secrets: [:], receiver: receiver).record(of: token)
                return nil
            } catch {
                return error.cause
            }
        }
        #expect(await cause(tokens.token(of: task.id), Receiver(task)) == nil)
        #expect(await cause("x", Receiver(task)) == .unknownPath)
        #expect(await cause(tokens.token(of: task.id), Receiver(nil)) == .unknownPath)
        #expect(await cause(tokens.token(of: task.id), Receiver(task, isBroken: true)) == .storeUnavailable)
    }

    // MARK: On a socket

    /// Serves only callbacks.
    private struct CallbackOnlyResponder: HTTPResponder {
        let inbound: InboundCallbacks

        func respond(to request: HTTPRequest) async -> HTTPResponse {
            do throws(GatewayError) {
                guard let match = request.head.withPath({ RouteMatch(path: $0) }) else { throw .unknownPath }
                return try await inbound.answer(request, token: match.identifier, requestID: "r1")
            } catch {
                return ErrorAnswer.response(to: error, shape: .kling, requestID: "r1")
            }
        }
    }

    @Test func `a POST to a valid token's path is accepted, others are refused`() async throws {
        let loop = try EventLoop(name: "door")
        let (tokens, task) = (CallbackTokens(try vault()), record())
        let receiver = Receiver(task)
        let inbound = InboundCallbacks(tokens: tokens, secrets: ["signing": [Self.secret]], receiver: receiver)
        let server = HTTPServer(
            configuration: HTTPServerConfiguration(addresses: [try #require(SocketAddress("127.0.0.1:0"))]),
            loops: [loop], budget: ByteBudget(capacity: 4 << 20), service: CallbackOnlyResponder(inbound: inbound))
        let address = try await server.start()[0].description
        let port = try #require(address.split(separator: ":").last.flatMap { UInt16($0) })
        func post(_ token: String, _ body: String, headers: String = "") async throws -> RawClient.Answer? {
            try await blocking {
                let client = try RawClient(port: port)
                let head = "POST /callbacks/kling/\(token) HTTP/1.1\r\nHost: g\r\n\(headers)"
                try client.send(head + "Content-Length: \(body.utf8.count)\r\n\r\n")
                if body.utf8.count <= InboundCallbacks.bodyLimit { try client.send(body) }
                return try client.readAnswer()
            }
        }
        let token = tokens.token(of: task.id)
        let hinted = try await post(token, Self.done)
        #expect(hinted?.status == 200)
        #expect(hinted?.json["code"] as? Int == 0)
        let now = Int(WallClock.seconds)
        let signed = try #require(WebhookSignature(Self.secret))
            .sign(id: "1", timestamp: now, body: Array(Self.done.utf8))
        let proof = "Webhook-Id: 1\r\nWebhook-Timestamp: \(now)\r\nWebhook-Signature: v1,AAAA \(signed)\r\n"
        #expect(try await post(token, Self.done, headers: proof)?.status == 200)
        #expect(receiver.seen.withLock { $0 } == ["hint", "observed succeed"])
        #expect(try await post(token, Self.done, headers: "Webhook-Signature: \(signed)\r\n")?.status == 401)
        let wrong = try await post(token + "A", Self.done)
        #expect(wrong?.status == 404)
        #expect(wrong?.json["message"] as? String == GatewayError.unknownPath.message)
        #expect(try await post(token, String(repeating: " ", count: (1 << 20) + 1))?.status == 413)
        #expect(receiver.seen.withLock { $0.count } == 2)
        await server.shutdown(grace: .zero)
        loop.stop()
    }

    // MARK: Callback addresses of creates

    @Test func `a callback address that may not be called is refused, naming the parameter`() throws {
        let sender = Receivers()
        try CallbackAddress.check(HTTPURL("https://shop.example/k"), sender)
        let error = #expect(throws: GatewayError.self) {
            try CallbackAddress.check(HTTPURL("http://127.0.0.1/k"), sender)
        }
        #expect(error?.cause == .badParameter)
        #expect(error?.parameter == "callback_url")
        #expect(error?.message.contains("127.0.0.1") == false)
    }
}

extension String {
    fileprivate func replacingCharacters(at index: Index, with letter: Character) -> String {
        var text = self
        text.replaceSubrange(index...index, with: String(letter))
        return text
    }
}
