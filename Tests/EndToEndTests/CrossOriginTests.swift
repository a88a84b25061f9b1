import TestKit
import Testing

/// CORS: what browsers ask of a server before they let a web page read its answers.
@Suite(.aFewAtATime) struct CrossOriginTests {
    private static let shop = "Origin: https://shop.example"
    private static let method = "Access-Control-Request-Method: POST"
    private static let configured = "cors: { origins: ['https://SHOP.example:443/', 'http://localhost:3000'] }"

    private func preflight(
        _ fixture: Fixture, _ path: String = Fixture.path, _ headers: String...
    ) async throws -> RawClient.Answer {
        try await fixture.gateway.ask("OPTIONS", path, key: nil, headers: headers)
    }

    private func allowedOrigin(_ answer: RawClient.Answer) -> String? { answer["Access-Control-Allow-Origin"] }

    @Test func `a preflight from a listed origin is answered`() async throws {
        try await Fixture.run(file: Self.configured) { (fixture) async throws in
            let fields = "Access-Control-Request-Headers: authorization,content-type"
            let answer = try await preflight(fixture, Fixture.path, Self.shop, Self.method, fields)
            #expect(answer.status == 204 && answer.text.isEmpty)
            #expect(allowedOrigin(answer) == "https://shop.example")
            #expect(answer["Vary"] == "Origin")
            #expect(answer["Access-Control-Allow-Methods"] == "GET, HEAD, POST")
            let allowed = answer["Access-Control-Allow-Headers"] ?? ""
            for name in ["Authorization", "Content-Type", "Idempotency-Key", "X-Request-Id"] {
                #expect(allowed.contains(name))
            }
            #expect(answer["Access-Control-Max-Age"] != nil)
            #expect(answer["Access-Control-Allow-Credentials"] == nil)
            let one = try await preflight(fixture, "/kling" + Fixture.path + "/1", Self.shop, Self.method)
            #expect(one.status == 204 && one["Access-Control-Allow-Methods"] == "GET, HEAD")
            let other = try await preflight(fixture, Fixture.path, "Origin: http://localhost:3000", Self.method)
            #expect(other.status == 204 && allowedOrigin(other) == "http://localhost:3000")
        }
    }

    @Test func `OPTIONS is an ordinary method unless it is a preflight from a listed origin`() async throws {
        try await Fixture.run(file: Self.configured) { (fixture) async throws in
            for headers in [
                [Self.shop], [Self.method], ["Origin: https://evil.example", Self.method],
                ["Origin: null", Self.method],
                ["Origin: http://shop.example", Self.method], ["Origin: https://shop.example:8443", Self.method],
                ["Origin: https://shop.example.evil.example", Self.method], [Self.shop, Self.shop, Self.method],
            ] {
                let answer = try await fixture.gateway.ask("OPTIONS", Fixture.path, key: nil, headers: headers)
                #expect(answer.status == 405 && answer["Allow"] == "GET, HEAD, POST", "\(headers)")
                #expect(headers == [Self.shop] || allowedOrigin(answer) == nil, "\(headers)")
            }
        }
    }

    @Test func `a web page can read that there is nothing at a path`() async throws {
        try await Fixture.run(file: Self.configured) { (fixture) async throws in
            for path in ["/v1/nothing", "/nothing"] {
                let method = "Access-Control-Request-Method: PUT"
                let asked = try await preflight(fixture, path, Self.shop, method)
                #expect(asked.status == 204 && allowedOrigin(asked) == "https://shop.example")
                #expect(asked["Access-Control-Allow-Methods"] == "*")
                let answer = try await fixture.gateway.ask("PUT", path, headers: [Self.shop])
                #expect(answer.status == 404 && allowedOrigin(answer) == "https://shop.example", "\(answer.text)")
                let other = try await preflight(fixture, path, "Origin: https://evil.example", method)
                #expect(other.status == 404 && allowedOrigin(other) == nil)
            }
        }
    }

    @Test func `only listed origins may read answers and errors`() async throws {
        try await Fixture.run(file: Self.configured + "\nlimits: { body: 64KiB }") { (fixture) async throws in
            let gateway = fixture.gateway
            let long = "X-A: " + String(repeating: "a", count: 9000)
            for origin in ["https://shop.example", "https://evil.example"] {
                let header = "Origin: \(origin)"
                let answers = [
                    (200, try await gateway.ask("GET", Fixture.path, headers: [header])),
                    (200, try await gateway.ask("POST", Fixture.path, headers: [header], body: Fixture.body())),
                    (401, try await gateway.ask("GET", Fixture.path, key: nil, headers: [header])),
                    (404, try await gateway.ask("GET", "/v1/nothing", headers: [header, long])),
                    (413, try await gateway.ask("POST", Fixture.path, headers: [header, "Content-Length: 70000"])),
                    (417, try await gateway.ask("GET", Fixture.path, headers: [header, "Expect: magic"])),
                    (501, try await gateway.ask("BREW", Fixture.path, headers: [header])),
                ]
                for (status, answer) in answers {
                    #expect(answer.status == status && answer["Vary"] == "Origin")
                    let isListed = origin == "https://shop.example"
                    #expect(allowedOrigin(answer) == (isListed ? origin : nil), "\(status)")
                    #expect(answer["Access-Control-Allow-Credentials"] == nil)
                    let exposed = answer["Access-Control-Expose-Headers"]?.lowercased()
                    for name in ["x-request-id", "retry-after", "x-ratelimit-limit-requests", "x-kling-gateway-stale"] {
                        #expect(isListed == (exposed?.contains(name) ?? false))
                    }
                }
            }
        }
    }

    @Test func `an asterisk allows any origin`() async throws {
        try await Fixture.run(file: "cors: { origins: '*' }") { (fixture) async throws in
            let answer = try await preflight(fixture, Fixture.path, "Origin: https://any.example", Self.method)
            #expect(answer.status == 204 && allowedOrigin(answer) == "*")
            let refused = try await fixture.gateway.ask("GET", Fixture.path, key: nil, headers: ["Origin: null"])
            #expect(refused.status == 401 && allowedOrigin(refused) == "*")
            #expect(refused["Access-Control-Allow-Credentials"] == nil)
        }
    }

    @Test func `no CORS field is sent unless CORS is configured`() async throws {
        try await Fixture.run { (fixture) async throws in
            let asked = try await preflight(fixture, Fixture.path, Self.shop, Self.method)
            #expect(asked.status == 405)
            for answer in [asked, try await fixture.gateway.ask("GET", Fixture.path, headers: [Self.shop])] {
                #expect(answer["Vary"] == nil && allowedOrigin(answer) == nil)
                #expect(answer["Access-Control-Expose-Headers"] == nil)
            }
        }
    }
}
