import KlingAPI
import TestKit
import Testing

/// Keys that are valid for some models or from some addresses only, on a real socket.
@Suite(.aFewAtATime) struct KeyScopeTests {
    private static let key = "sk-key-with-a-scope-of-its-own"

    private func file(_ scope: String, proxies: String = "[]") -> String {
        "keys: [{ key: \(Self.key), tenant: scoped, \(scope) }]\ntrusted_proxies: \(proxies)"
    }

    /// The status of a list requested from 127.0.0.1.
    private func status(_ fixture: Fixture, _ forwarded: String...) async throws -> Int {
        let headers = forwarded.map { "X-Forwarded-For: \($0)" }
        let answer = try await fixture.gateway.ask("GET", Fixture.path, key: Self.key, headers: headers)
        if answer.status != 200 {
            #expect(answer.status == 403 && answer.code == 1103, "\(answer.text)")
            #expect(answer.error["code"] as? String == "permission_denied")
            #expect(answer.error["type"] as? String == "permission_error")
        }
        return answer.status
    }

    @Test func `a key is refused for a model that it may not use`() async throws {
        try await Fixture.run(file: file("models: [kolors-virtual-try-on-v1-5]")) { (fixture) async throws in
            for body in ["", #""model_name":"kolors-virtual-try-on-v1""#, #""model":"kolors-virtual-try-on-v1""#] {
                let answer = try await fixture.create(body, key: Self.key)
                #expect(answer.status == 403 && answer.code == 1103, "\(answer.text)")
                #expect(answer.error["param"] as? String == "model_name")
                #expect((answer.error["message"] as? String)?.contains("kolors-virtual-try-on-v1-5") == true)
            }
            #expect(fixture.creates == 0)
            let allowed = #""model_name":"kolors-virtual-try-on-v1-5""#
            #expect(try await fixture.create(allowed, key: Self.key).status == 200)
            #expect(try await fixture.create().status == 200)
        }
    }

    @Test func `a key is refused from an address outside its list`() async throws {
        try await Fixture.run(file: file("addresses: [198.51.100.0/24, '::1']")) { (fixture) async throws in
            #expect(try await status(fixture) == 403)
            #expect(try await status(fixture, "198.51.100.7") == 403, "this peer is not a trusted proxy")
            // The refusal comes before the body is read or counted.
            let head = Fixture.createHead(length: 9, ["Expect: 100-continue"], key: Self.key)
            #expect(try await fixture.exchange(Array(head.utf8)).status == 403)
            #expect(try await fixture.gateway.ask("GET", Fixture.path).status == 200)
        }
    }

    @Test func `address and rate limits also apply to a finished task in memory`()
        async throws
    {
        let far = "{ key: sk-key-from-elsewhere, tenant: scoped, addresses: 198.51.100.0/24 }"
        let rare = "{ key: sk-key-that-asks-rarely, tenant: scoped, requests_per_minute: 3 }"
        try await Fixture.run(file: "keys: [{ key: \(Self.key), tenant: scoped }, \(far), \(rare)]") {
            (fixture) async throws in
            let id = try #require(try await fixture.create(key: Self.key).data["task_id"] as? String)
            let path = "\(Fixture.path)/\(id)"
            try await eventually("the task has ended") {
                try await fixture.gateway.ask("GET", path, key: Self.key).data["task_status"] as? String == "succeed"
            }
            #expect(try await fixture.gateway.ask("GET", path, key: "sk-key-from-elsewhere").status == 403)
            var statuses: [Int] = []
            for _ in 0..<4 {
                let answer = try await fixture.gateway.ask("GET", path, key: "sk-key-that-asks-rarely")
                statuses.append(answer.status)
                #expect(answer["x-ratelimit-limit-requests"] == "3")
            }
            #expect(statuses == [200, 200, 200, 429])
            #expect(try await fixture.gateway.ask("GET", path, key: Self.key).status == 200)
        }
    }

    @Test func `a key works from its own addresses`() async throws {
        try await Fixture.run(file: file("addresses: 127.0.0.0/8")) { (fixture) async throws in
            #expect(try await status(fixture) == 200)
            #expect(try await status(fixture, "203.0.113.5") == 200, "what an untrusted peer claims changes nothing")
        }
    }

    @Test func `behind a trusted proxy, the client is the address that the proxy names`() async throws {
        let behind = file("addresses: [198.51.100.0/24]", proxies: "[127.0.0.1, 10.0.0.0/8]")
        try await Fixture.run(file: behind) { (fixture) async throws in
            #expect(try await status(fixture, "198.51.100.7") == 200)
            #expect(try await status(fixture, "::ffff:198.51.100.7") == 200)
            #expect(try await status(fixture, "198.51.100.7, 10.1.2.3") == 200)
            #expect(try await status(fixture, "198.51.100.7", "10.1.2.3") == 200)
            #expect(try await status(fixture, "198.51.100.7, 203.0.113.5") == 403, "the client claims the first one")
            #expect(try await status(fixture, "198.51.100.7, unknown") == 403)
            #expect(try await status(fixture) == 403)
        }
    }

    @Test func `an IPv4 client on an IPv6 listener is known by its IPv4 address`() async throws {
        let listen = ["KLING_GATEWAY_LISTEN": "[::]:0"]
        try await Fixture.run(file: file("addresses: 127.0.0.1"), environment: listen) { (fixture) async throws in
            #expect(try await status(fixture) == 200)
        }
        let behind = file("addresses: 198.51.100.7", proxies: "127.0.0.0/8")
        try await Fixture.run(file: behind, environment: listen) { (fixture) async throws in
            #expect(try await status(fixture) == 403)
            #expect(try await status(fixture, "198.51.100.7") == 200)
        }
    }
}
