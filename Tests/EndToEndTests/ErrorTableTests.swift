import Base
import EventLoop
import Foundation
import KlingSimulator
import TestKit
import Testing

/// Every row of the error catalogue, on a real socket.
@Suite(.aFewAtATime) struct ErrorTableTests {
    /// Checks what the client sees of an error.
    private func expect(
        _ answer: RawClient.Answer, _ status: Int, _ code: Int, param: String? = nil,
        _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(answer.status == status, "\(answer.text)", sourceLocation: location)
        #expect(answer.code == code, "\(answer.text)", sourceLocation: location)
        #expect(answer.error["message"] as? String == answer.json["message"] as? String, sourceLocation: location)
        #expect(answer.error["type"] is String, sourceLocation: location)
        #expect(answer.error["code"] is String, sourceLocation: location)
        #expect(answer.error["param"] as? String == param, "\(answer.text)", sourceLocation: location)
        #expect(answer["X-Request-Id"]?.isEmpty == false, sourceLocation: location)
        #expect(answer["Date"] != nil, sourceLocation: location)
        if status == 429 || status == 503 {
            #expect((1...60).contains(answer["Retry-After"].flatMap { Int($0) } ?? 0), sourceLocation: location)
        }
    }

    @Test func `missing, malformed, unknown and revoked keys are refused`() async throws {
        try await Fixture.run { fixture in
            let gateway = fixture.gateway
            expect(try await gateway.ask("GET", Fixture.path, key: nil), 401, 1001)
            expect(try await gateway.ask("GET", Fixture.path, key: nil, headers: ["Authorization: "]), 401, 1001)
            expect(
                try await gateway.ask("GET", Fixture.path, key: nil, headers: ["Authorization: Basic YTpi"]), 401, 1002)
            expect(try await gateway.ask("GET", Fixture.path, key: "sk-nobody's"), 401, 1002)
            expect(
                try await gateway.ask("GET", Fixture.path, headers: ["Authorization: Bearer sk-second"]), 401, 1002)

            let keys = try await issue(fixture, tenant: "shop")
            let key = try #require(keys["key"])
            #expect(try await gateway.ask("GET", Fixture.path, key: key).status == 200)
            try await command(fixture, ["keys", "revoke", try #require(keys["id"])])
            try await eventually { try await gateway.ask("GET", Fixture.path, key: key).status == 401 }
            expect(try await gateway.ask("GET", Fixture.path, key: key), 401, 1002)
        }
    }

    @Test func `validates tokens signed with a key pair of the gateway`() async throws {
        try await Fixture.run { fixture in
            let keys = try await issue(fixture, tenant: "shop")
            let (access, secret) = (try #require(keys["access_key"]), try #require(keys["secret_key"]))
            let now = Int(Date().timeIntervalSince1970)
            func ask(_ token: String) async throws -> RawClient.Answer {
                try await fixture.gateway.ask("GET", Fixture.path, key: token)
            }
            let good = try await ask(Token.sign(access, secret, expires: now + 1800, notBefore: now - 5))
            #expect(good.status == 200, "\(good.text)")
            expect(try await ask(Token.sign(access, "wrong", expires: now + 1800, notBefore: now - 5)), 401, 1002)
            expect(try await ask(Token.sign("AKnobody", secret, expires: now + 1800, notBefore: now - 5)), 401, 1002)
            expect(try await ask(Token.sign(access, secret, expires: now + 1800, notBefore: now + 600)), 401, 1003)
            expect(try await ask(Token.sign(access, secret, expires: now - 600, notBefore: now - 900)), 401, 1004)
        }
    }

    @Test(
        arguments: [
            ("{", 1200, nil), ("[]", 1200, nil), ("", 1200, nil),
            (#"{"human_image":"a","human_image":"b"}"#, 1200, nil),
            (#"{"human_image":5,"cloth_image":"https://a.example/b"}"#, 1200, "human_image"),
            (Fixture.body(#""model_name":"kling-v9""#), 1201, "model_name"),
            (#"{"cloth_image":"https://a.example/b"}"#, 1201, "human_image"),
            (#"{"human_image":"bm90IGEgcGljdHVyZQ==","cloth_image":"https://a.example/b"}"#, 1201, "human_image"),
            (#"{"human_image":"https://a.example/b","cloth_image":"???"}"#, 1201, "cloth_image"),
            (Fixture.body(#""callback_url":"ftp://a.example/""#), 1201, "callback_url"),
            (Fixture.body(#""external_task_id":"a\u0000b""#), 1201, "external_task_id"),
        ] as [(String, Int, String?)])
    func `a wrong body or member is answered 400 and named`(body: String, code: Int, param: String?) async throws {
        try await Fixture.run { fixture in
            expect(try await fixture.gateway.ask("POST", Fixture.path, body: body), 400, code, param: param)
            #expect(fixture.kling.figures.allSatisfy { $0.creates == 0 })
        }
    }

    @Test func `wrong pages, ids, paths and methods are refused`() async throws {
        try await Fixture.run { fixture in
            let gateway = fixture.gateway
            expect(try await gateway.ask("GET", Fixture.path + "?pageNum=0"), 400, 1201, param: "pageNum")
            expect(try await gateway.ask("GET", Fixture.path + "?pageSize=a"), 400, 1201, param: "pageSize")
            _ = try await fixture.createdTask(#""external_task_id":"twice""#)
            let again = try await fixture.create(#""external_task_id":"twice""#)
            expect(again, 400, 1201, param: "external_task_id")
            #expect(
                try await fixture.create(#""external_task_id":"twice""#, key: GatewayProcess.otherKey).status == 200)
            expect(try await gateway.ask("GET", Fixture.path + "/815"), 404, 1203)
            expect(try await gateway.ask("GET", Fixture.path + "/%2e%2e%2fx"), 404, 1203)
            expect(try await gateway.ask("GET", "/v1/nothing"), 404, 1203)
            let method = try await gateway.ask("DELETE", Fixture.path)
            expect(method, 405, 1202)
            #expect(method["Allow"] == "GET, HEAD, POST")
        }
    }

    @Test func `requests that violate HTTP or are too large are refused`() async throws {
        try await Fixture.run(file: "limits: { body: 64KiB }") { fixture in
            let gateway = fixture.gateway
            expect(try await gateway.ask("POST", Fixture.path), 411, 1200)
            expect(try await gateway.ask("POST", Fixture.path, headers: ["Content-Length: 70000"]), 413, 1200)
            expect(try await gateway.ask("GET", "/" + String(repeating: "a", count: 10_000)), 414, 1200)
            expect(
                try await gateway.ask(
                    "POST", Fixture.path, headers: ["Content-Type: multipart/form-data; boundary=x"], body: "x"),
                415, 1200)
            expect(
                try await gateway.ask("POST", Fixture.path, headers: ["Content-Encoding: gzip"], body: "x"), 415, 1200)
            expect(try await gateway.ask("GET", Fixture.path, headers: ["Expect: magic"]), 417, 1200)
            expect(
                try await gateway.ask("GET", Fixture.path, headers: ["X-A: " + String(repeating: "a", count: 40_000)]),
                431, 1200)
            expect(try await gateway.ask("BREW", Fixture.path), 501, 1200)
            expect(
                try await gateway.ask("POST", Fixture.path, headers: ["Transfer-Encoding: gzip, chunked"]), 501, 1200)
            let old = try await blocking {
                let client = try RawClient(port: gateway.port)
                try client.send("GET / HTTP/2.0\r\nHost: a\r\n\r\n")
                return try client.readAnswer()
            }
            expect(try #require(old), 505, 1200)
            let twoHosts = try await fixture.exchange(Array("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".utf8))
            expect(twoHosts, 400, 1200)
            #expect(twoHosts.error["code"] as? String == "malformed_request")
        }
    }

    @Test func `enforces a key's own limits`() async throws {
        let file = """
            keys:
              - { key: sk-rate-limited-test-key, tenant: rate, requests_per_minute: 2 }
              - { key: sk-one-task-at-a-time, tenant: slots, concurrency: 1 }
            """
        try await Fixture.run(file: file, duration: 3_600_000...3_600_000) { fixture in
            let gateway = fixture.gateway
            let first = try await gateway.ask("GET", Fixture.path, key: "sk-rate-limited-test-key")
            #expect(first["x-ratelimit-limit-requests"] == "2")
            #expect(first["x-ratelimit-remaining-requests"] == "1")
            _ = try await gateway.ask("GET", Fixture.path, key: "sk-rate-limited-test-key")
            expect(try await gateway.ask("GET", Fixture.path, key: "sk-rate-limited-test-key"), 429, 1302)
            #expect(try await fixture.create(key: "sk-one-task-at-a-time").status == 200)
            expect(try await fixture.create(key: "sk-one-task-at-a-time"), 429, 1303)
            // Waiting would never make room for two.
            let two = #"{"image":["https://example.com/p.jpg","https://example.com/g.jpg"],"n":2}"#
            let never = try await gateway.ask("POST", EditForm.path, key: "sk-one-task-at-a-time", body: two)
            #expect(never.status == 400 && never.text.contains("Ask for fewer pictures"), "\(never.text)")
        }
    }

    /// Nothing waits: a create that no account takes at once is refused at once.
    private static let impatient = "{ queue: off, dispatch: { wait: 0s } }"

    @Test(arguments: [
        ("1302", 429, 1302), ("1303", 429, 1303), ("5001", 502, 5000), ("http-429", 429, 1302), ("http-302", 502, 5000),
        ("1000", 503, 5001), ("1002", 503, 5001), ("1100", 503, 5001), ("1101", 503, 5001), ("1102", 503, 5001),
        ("1103", 503, 5001), ("1304", 503, 5001),
        ("1200", 400, 1200), ("1201", 400, 1201), ("1203", 404, 1203), ("1300", 400, 1300), ("1301", 400, 1301),
    ])
    func `each refusal by Kling has its status and code`(fault: String, status: Int, code: Int) async throws {
        try await Fixture.run(file: Self.impatient) { fixture in
            try fixture.fail("create:\(fault):1:1")
            expect(try await fixture.create(#""external_task_id":"again""#), status, code)
            // Nothing was made, so the client's id is free again.
            let again = try await fixture.create(#""external_task_id":"again""#)
            #expect(again.error["param"] as? String != "external_task_id")
        }
    }

    @Test(arguments: ["1003", "1004"])
    func `a token that Kling finds expired or not yet valid is signed once more`(fault: String) async throws {
        try await Fixture.run { fixture in
            try fixture.fail("create:\(fault):1:1")
            #expect(try await fixture.create().status == 200)
        }
    }

    @Test(arguments: [("5000", 502, 5000), ("5002", 504, 5002), ("http-500", 502, 5000), ("reset", 502, 5000)])
    func `an unknown outcome is reported and can be queried`(fault: String, status: Int, code: Int) async throws {
        try await Fixture.run { fixture in
            try fixture.fail("create:\(fault)")
            let answer = try await fixture.create()
            expect(answer, status, code)
            #expect(answer["x-should-retry"] == "false")
            let id = try #require(answer.error["task_id"] as? String)
            let found = try await fixture.gateway.ask("GET", Fixture.path + "/" + id)
            #expect(found.data["task_status"] as? String == "submitted")
            #expect(found["x-kling-gateway-stale"] != nil)
        }
    }

    @Test func `a Kling that can no longer be reached is answered 502, and the client may retry`() async throws {
        let loop = try EventLoop(name: "kling")
        let account = SimulatedAccount(
            name: "a", keys: [.signed(accessKey: "simulated-access-key", secretKey: Secret("simulated-secret-key"))])
        let kling = try KlingSimulator(configuration: SimulatorConfiguration(accounts: [account]), loops: [loop])
        try await kling.start()
        let gateway = try await GatewayProcess(kling: kling.url, environment: ["KLING_GATEWAY_QUEUE": "off"])
        #expect(try await gateway.ask("GET", "/readyz", key: nil, admin: true).status == 200)
        await kling.stop()
        loop.stop()
        let refused = try await gateway.ask("POST", Fixture.path, body: Fixture.body())
        expect(refused, 502, 5000)
        #expect(refused["x-should-retry"] == nil)
        #expect(try await gateway.stop() == 0)
    }

    @Test func `a Kling that does not answer in time is answered 504 with a task id`() async throws {
        let file = """
            upstreams:
              - { name: slow, url: $KLING, access_key: simulated-access-key, secret_key: simulated-secret-key, timeout: 1s }
            """
        try await Fixture.run(file: file, environment: Fixture.noAccount) { fixture in
            try fixture.fail("create:silence")
            let answer = try await fixture.create()
            expect(answer, 504, 5002)
            #expect(answer["x-should-retry"] == "false")
            #expect(answer.error["task_id"] is String)
        }
    }

    @Test func `an upload is answered 503 if there is no memory for it`() async throws {
        try await Fixture.run(file: "limits: { body: 1MiB, buffered_bytes: 2MiB }") { fixture in
            let length = 1 << 20
            let holder = try await blocking {
                let client = try RawClient(port: fixture.gateway.port)
                try client.send(
                    "POST \(Fixture.path) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(GatewayProcess.key)\r\n"
                        + "Expect: 100-continue\r\nContent-Length: \(length)\r\n\r\n")
                // Once it is told to continue, the client holds its share of the memory.
                try client.readInterim()
                return client
            }
            let second = try await fixture.gateway.ask(
                "POST", Fixture.path, headers: ["Expect: 100-continue", "Content-Length: \(length)"])
            expect(second, 503, 5001)
            holder.reset()
            #expect(try await fixture.create().status == 200)
        }
    }

    @Test func `a store held by another process leads to 503 and recovers without a restart`() async throws {
        try await Fixture.run(duration: 1...1) { fixture in
            let id = try await fixture.createdTask()
            _ = try await fixture.gateway.ask("GET", Fixture.path + "/" + id)
            let holder = try await HeldStore(fixture.gateway.folder)
            try await holder.hold()
            expect(try await fixture.create(), 503, 5001)
            #expect(fixture.kling.figures.map(\.creates) == [1])
            #expect(try await fixture.gateway.ask("GET", Fixture.path + "/" + id).status == 200)
            try await holder.release()
            #expect(try await fixture.create().status == 200)
        }
    }

    // MARK: Helpers

    private func issue(_ fixture: Fixture, tenant: String) async throws -> [String: String] {
        let output = try await command(fixture, ["keys", "create", "--tenant", tenant, "--json"])
        return try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: String])
    }

    @discardableResult
    private func command(_ fixture: Fixture, _ arguments: [String]) async throws -> String {
        let environment = try await GatewayProcess.environment(kling: fixture.kling.url, fixture.gateway.folder)
        let outcome = try await Program.gateway(arguments, environment: environment).end()
        #expect(outcome.status == 0, "\(outcome.errors)")
        return outcome.output
    }

    /// Polls until the condition holds; a revocation may take a second to be seen.
    private func eventually(_ isSo: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while try await !isSo() {
            guard ContinuousClock.now < deadline else { throw TestKitError("the condition did not become true") }
        }
    }
}
