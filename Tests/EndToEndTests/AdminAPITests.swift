import Foundation
import TestKit
import Testing

/// The administration API on the built binary: who may call it, and how commands use it.
@Suite(.aFewAtATime) struct AdminAPITests {
    private static let token = "the-admin-token-of-the-test"
    private static let guarded = ["KLING_GATEWAY_ADMIN_TOKEN": token]
    private static let json = "Content-Type: application/json"

    /// The console's files.
    private static let files = URL(filePath: #filePath).appending(path: "../../../Sources/CConsole/files").standardized

    // MARK: Access

    @Test func `every call needs the token`() async throws {
        try await Fixture.run(environment: Self.guarded) { fixture in
            let gateway = fixture.gateway
            let document = try await gateway.ask("GET", "/openapi.json", key: Self.token, admin: true)
            #expect(document.status == 200 && document.json["openapi"] as? String == "3.1.0")
            #expect(try await fixture.command(["openapi", "--admin"]).output == document.text + "\n")
            let paths = try #require(document.json["paths"] as? [String: [String: Any]])
            #expect(paths.count > 10)
            for (path, methods) in paths {
                let path = path.replacing(/\{\w+\}/, with: "nothing")
                for method in methods.keys.map({ $0.uppercased() }) + ["DELETE", "HEAD"] {
                    for key in [nil, "wrong", GatewayProcess.key] {
                        let refused = try await gateway.ask(method, path, key: key, admin: true)
                        #expect(refused.status == 401 && refused["WWW-Authenticate"] == "Bearer", "\(method) \(path)")
                    }
                }
                #expect(try await gateway.ask("DELETE", path, key: Self.token, admin: true).status == 405)
            }
            #expect(try await gateway.ask("GET", "/admin/v1/nothing", key: Self.token, admin: true).status == 404)
            #expect(try await gateway.ask("HEAD", "/admin/v1/tasks", key: Self.token, admin: true).status == 200)
            #expect(try await gateway.ask("GET", "/admin/v1/tasks", key: Self.token).status == 404)
        }
    }

    @Test func `a body that is too long or not JSON is refused`() async throws {
        try await Fixture.run(environment: Self.guarded) { fixture in
            func post(_ body: String, _ headers: [String] = [Self.json]) async throws -> RawClient.Answer {
                try await fixture.gateway.ask(
                    "POST", "/admin/v1/keys", key: Self.token, headers: headers, body: body, admin: true)
            }
            let long = try await post(String(repeating: " ", count: 1 << 20 + 1))
            #expect(long.status == 413)
            #expect(try await post(#"{"tenant":"t"}"#, ["Content-Type: text/plain"]).status == 415)
            let padding = String(repeating: " ", count: 900_000)
            #expect(try await post("{\(padding)\"tenant\":\"t\"}").status == 201)
            #expect(try await post(#"{"tenant":"t"}"#, ["Content-Type: application/json; charset=utf-8"]).status == 201)
        }
    }

    @Test func `a console signs in with the token, and out`() async throws {
        try await Fixture.run(environment: Self.guarded) { fixture in
            let gateway = fixture.gateway
            func session(_ token: String, _ headers: [String] = []) async throws -> RawClient.Answer {
                try await gateway.ask(
                    "POST", "/session", key: nil, headers: headers + [Self.json], body: "{\"token\":\"\(token)\"}",
                    admin: true)
            }
            let refused = try await session("wrong")
            #expect(refused.status == 401 && refused["Set-Cookie"] == nil)
            let opened = try await session(Self.token)
            let set = try #require(opened["Set-Cookie"])
            #expect(opened.status == 204 && !set.contains(Self.token))
            for attribute in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
                #expect(set.contains(attribute), "\(set)")
            }
            #expect(!set.contains("Secure"))
            #expect(
                try await session(Self.token, ["X-Forwarded-Proto: https"])["Set-Cookie"]?.contains("Secure") == true)
            let cookie = "Cookie: " + set.prefix { $0 != ";" }
            func call(_ method: String, _ path: String, _ headers: [String] = []) async throws -> Int {
                try await gateway.ask(method, path, key: nil, headers: [cookie] + headers, admin: true).status
            }
            #expect(try await call("GET", "/admin/v1/tasks") == 200)
            #expect(try await call("GET", "/metrics") == 200)
            let own = "X-Requested-With: kling-gateway-console"
            let revoke = "/admin/v1/keys/nothing/revoke"
            #expect(try await call("POST", revoke) == 403)
            #expect(try await call("POST", revoke, [own]) == 404)
            #expect(try await call("POST", revoke, [own, "Origin: http://localhost"]) == 404)
            for foreign in ["Origin: http://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site"] {
                #expect(try await call("POST", revoke, [own, foreign]) == 403)
                #expect(try await call("DELETE", "/session", [foreign]) == 403)
                #expect(try await session(Self.token, [foreign]).status == 403)
            }
            #expect(try await call("DELETE", "/session") == 204)
            #expect(try await call("GET", "/admin/v1/tasks") == 401)
        }
    }

    @Test func `without a token, pages of other origins can change nothing`() async throws {
        try await Fixture.run { fixture in
            func create(_ headers: [String]) async throws -> Int {
                try await fixture.gateway.ask(
                    "POST", "/admin/v1/keys", key: nil, headers: [Self.json] + headers, body: #"{"tenant":"t"}"#,
                    admin: true
                ).status
            }
            #expect(try await create([]) == 201)
            #expect(try await create(["Origin: http://localhost", "Sec-Fetch-Site: same-origin"]) == 201)
            #expect(try await create(["Origin: http://evil.example"]) == 403)
            #expect(try await create(["Sec-Fetch-Site: same-site"]) == 403)
            let preflight = try await fixture.gateway.ask(
                "OPTIONS", "/admin/v1/keys", key: nil, headers: ["Origin: http://evil.example"], admin: true)
            #expect(preflight.status == 405 && preflight["Access-Control-Allow-Origin"] == nil)
        }
    }

    @Test func `the console's page needs no token and loads nothing from elsewhere`() async throws {
        try await Fixture.run(environment: Self.guarded) { fixture in
            func get(_ path: String, _ headers: [String] = []) async throws -> RawClient.Answer {
                try await fixture.gateway.ask("GET", path, key: nil, headers: headers, admin: true)
            }
            let root = try await get("/")
            #expect(root.status == 302 && root["Location"] == "console/")
            let page = try await get("/console/")
            #expect(page.status == 200 && page["Content-Type"] == "text/html; charset=utf-8")
            let policy = try #require(page["Content-Security-Policy"])
            #expect(policy.hasPrefix("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"))
            #expect(page["X-Content-Type-Options"] == "nosniff" && page["Referrer-Policy"] == "no-referrer")
            let tag = try #require(page["ETag"])
            #expect(try await get("/console/", ["If-None-Match: \(tag)"]).status == 304)
            for name in try FileManager.default.contentsOfDirectory(atPath: Self.files.path) {
                let served = try await get("/console/\(name)")
                #expect(served.status == 200 && served["Content-Type"]?.hasSuffix("; charset=utf-8") == true, "\(name)")
                #expect(try Data(served.body) == Data(contentsOf: Self.files.appending(path: name)), "\(name)")
            }
            for path in ["/console/nothing", "/console/../metrics", "/console//", "/console/%2e%2e/index.html"] {
                #expect(try await get(path).status == 404)
            }
        }
    }

    @Test(.needsPython, .timeLimit(.minutes(20))) func `schemathesis finds the document accurate`() async throws {
        try await Fixture.run(environment: Self.guarded) { fixture in
            // A schema cannot say which time zones there are, or which URLs may be called.
            let environment = [
                "GATEWAY": "http://127.0.0.1:\(fixture.gateway.adminPort)", "KEY": Self.token,
                "WITHOUT": "positive_data_acceptance",
            ]
            try await RealClient.run("openapi.py", environment)
        }
    }

    // MARK: Commands

    @Test func `commands give the same answers through a running gateway as on the store`() async throws {
        let port = try freePort()
        let listen = ["KLING_GATEWAY_ADMIN_LISTEN": "127.0.0.1:\(port)"]
        try await Fixture.run(environment: listen.merging(Self.guarded) { $1 }) { fixture in
            let store = try await fixture.gateway.folder.storeName
            let id = try await fixture.createdTask(
                #""external_task_id":"an odd/id?&","callback_url":"https://shop.example/kling""#)
            func command(_ arguments: [String], through isThrough: Bool) async throws -> Program.Outcome {
                let environment = Self.guarded.merging(isThrough ? listen : [:]) { $1 }
                let outcome = try await fixture.command(arguments, environment: environment)
                let way = store + (isThrough ? " (through the running gateway)\n" : "\n")
                #expect(outcome.errors.contains(way), "\(arguments): \(outcome.errors)")
                return outcome
            }
            let made = try await command(["keys", "create", "--tenant", "t", "--json"], through: true)
            #expect(made.status == 0, "\(made.errors)")
            let key = try JSONSerialization.jsonObject(with: Data(made.output.utf8)) as? [String: String] ?? [:]
            #expect(try await fixture.gateway.ask("GET", Fixture.path, key: key["key"]).status == 200)
            for arguments in [
                ["keys", "list"], ["keys", "list", "--json"], ["tasks", "list"], ["tasks", "list", "--limit", "0"],
                ["tasks", "show", id], ["tasks", "show", "an odd/id?&"], ["tasks", "show", "nothing"],
                ["tasks", "cancel", id], ["tasks", "settle", id, "--not-made"], ["tasks", "cancel", "nothing"],
                ["deliveries", "list"], ["deliveries", "list", "--task", "nothing"],
                ["deliveries", "redeliver", "nothing"], ["webhooks", "secret", "--tenant", "t"],
                ["webhooks", "secret", "--tenant", "no tenant"], ["webhooks", "test", "--tenant", "t", "--url", "x"],
                ["keys", "revoke", "nothing"], ["keys", "rotate", "nothing"],
            ] {
                let through = try await command(arguments, through: true)
                let direct = try await command(arguments, through: false)
                #expect(through.status == direct.status && through.output == direct.output, "\(arguments)")
                let error = { (outcome: Program.Outcome) in outcome.errors.split(separator: "\n").last }
                if through.status != 0 { #expect(error(through) == error(direct), "\(arguments)") }
            }
        }
    }

    @Test func `a command uses a gateway only if it serves from the command's store`() async throws {
        let port = try freePort()
        let listen = ["KLING_GATEWAY_ADMIN_LISTEN": "127.0.0.1:\(port)"]
        try await Fixture.run(environment: listen.merging(Self.guarded) { $1 }) { fixture in
            let other = try TemporaryFolder()
            let environment = listen.merging(Self.guarded) { $1 }
                .merging(["KLING_GATEWAY_STORE": try await other.store, "STATE_DIRECTORY": other.path("")]) { $1 }
            let name = try await other.storeName
            for note in [TestStore.chosen == .sqlite ? " (new)\n" : "\n", "\n"] {
                let made = try await fixture.command(["keys", "create", "--tenant", "t"], environment: environment)
                #expect(made.status == 0 && made.errors.hasSuffix(name + note), "\(made.errors)")
            }
            let keys = try await fixture.command(["keys", "list", "--json"])
            #expect(keys.output == "[]\n")
            // Without the token, the store itself is used.
            let direct = try await fixture.command(["keys", "list"], environment: listen)
            #expect(direct.status == 0 && !direct.errors.contains("through"), "\(direct.errors)")
        }
    }

    @Test func `a command reaches the gateway over a Unix-domain socket`() async throws {
        let folder = try TemporaryFolder()
        let listen = ["KLING_GATEWAY_ADMIN_LISTEN": "unix:\(folder.path("admin.sock")),127.0.0.1:0"]
        try await Fixture.run(environment: listen) { fixture in
            let environment = ["KLING_GATEWAY_ADMIN_LISTEN": "unix:\(folder.path("admin.sock"))"]
            let made = try await fixture.command(["keys", "create", "--tenant", "t"], environment: environment)
            #expect(made.status == 0 && made.errors.contains("through the running gateway"), "\(made.errors)")
        }
    }
}
