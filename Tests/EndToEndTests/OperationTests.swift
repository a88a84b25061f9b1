import Foundation
import KlingSimulator
import TestKit
import Testing

/// What an operator sees when running the built binary: listeners, signals, the log, the commands.
@Suite(.aFewAtATime) struct OperationTests {
    // MARK: Secrets

    @Test func `no secret appears in the log, whatever goes wrong`() async throws {
        let masterKey = "the-master-key-of-the-log-test-0123456789"
        let adminToken = "admin-token-of-the-log-test"
        let webhookSecret = "whsec_" + Data(repeating: 7, count: 32).base64EncodedString()
        let environment = [
            "KLING_GATEWAY_LOG_LEVEL": "trace", "KLING_GATEWAY_MASTER_KEY": masterKey, "KLING_BASE_URL": "",
        ]
        try await Fixture.run { fixture in
            let folder = try TemporaryFolder()
            let file = Self.file(fixture.kling.url, webhookSecret: webhookSecret, adminToken: adminToken)
            let own = environment.merging([
                "KLING_GATEWAY_CONFIG": try folder.write(file, to: "config.yaml")
            ]) { $1 }
            let gateway = try await GatewayProcess(kling: fixture.kling.url, folder: folder, environment: own)
            let issuing = try await GatewayProcess.environment(kling: fixture.kling.url, folder).merging(own) { $1 }
            let issued = try await Program.gateway(["keys", "create", "--tenant", "t", "--json"], environment: issuing)
                .end()
            let keys = try #require(
                JSONSerialization.jsonObject(with: Data(issued.output.utf8)) as? [String: String], "\(issued.errors)")
            let (access, secret) = (keys["access_key"] ?? "", keys["secret_key"] ?? "")
            let now = Int(Date().timeIntervalSince1970)
            let token = Token.sign(access, secret, expires: now + 600, notBefore: now - 5)
            let forged = Token.sign(access, "another-secret-key", expires: now + 600, notBefore: now - 5)
            for key in [GatewayProcess.key, keys["key"] ?? "", token, forged, "sk-wrong-key-of-somebody", adminToken] {
                _ = try await gateway.ask("POST", Fixture.path, key: key, body: Fixture.body())
                _ = try await gateway.ask("GET", Fixture.path + "?api_key=\(key)", key: nil)
                _ = try await gateway.ask("GET", "/metrics", key: key, admin: true)
            }
            for fault in ["create:1002:1:1", "create:made-garbage:1:1", "create:made-http-502:1:1", "create:1101:1:1"] {
                try fixture.fail(fault)
                _ = try await gateway.ask("POST", Fixture.path, body: Fixture.body())
            }
            let tokens = try await fixture.seenByKling().filter { $0.name.lowercased() == "authorization" }
            #expect(try await gateway.stop() == 0)
            let log = gateway.program.errorText
            #expect(log.contains("\"level\":\"debug\"") && log.contains("\"call to Kling\""))
            let secrets =
                [
                    GatewayProcess.key, GatewayProcess.otherKey, "simulated-secret-key", masterKey, adminToken,
                    webhookSecret, keys["key"], secret, keys["webhook_secret"], token, forged,
                    "sk-wrong-key-of-somebody",
                    "shop.example",
                ].compactMap(\.self) + tokens.map { String($0.value.dropFirst("Bearer ".count)) }
            #expect(secrets.count == 14 && secrets.allSatisfy { $0.count > 8 })
            for secret in secrets { #expect(!log.contains(secret), "\(secret)") }
        }
    }

    private static func file(_ url: String, webhookSecret: String, adminToken: String) -> String {
        """
        upstreams:
          - name: kling
            access_key: { env: KLING_ACCESS_KEY }
            secret_key: { env: KLING_SECRET_KEY }
            url: \(url)
            webhook_secret: \(webhookSecret)
        admin: { token: \(adminToken) }
        """
    }

    @Test func `a proxy's password and wrong keys are never repeated`() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(
            """
            upstreams:
              - name: kling
                access_key: a
                secret_key: the-secret-of-the-proxy-test
                proxy: http://somebody:the-password@127.0.0.1:1
            """, to: "config.yaml")
        let gateway = try await GatewayProcess(
            kling: "", folder: folder,
            environment: [
                "KLING_GATEWAY_CONFIG": file, "KLING_ACCESS_KEY": "", "KLING_SECRET_KEY": "",
                "KLING_GATEWAY_LOG_LEVEL": "trace", "KLING_GATEWAY_QUEUE": "off",
            ])
        let answer = try await gateway.ask("POST", Fixture.path, body: Fixture.body())
        #expect(answer.status == 502 || answer.status == 503)
        #expect(try await gateway.stop() == 0)
        for text in [answer.text, gateway.program.errorText] {
            #expect(!text.contains("the-password") && !text.contains("the-secret-of-the-proxy-test"), "\(text)")
        }
        let outcome = try await Program.gateway(
            ["check-config"],
            environment: try await GatewayProcess.environment(kling: "https://user:the-password@a.example", folder)
                .merging(["KLING_GATEWAY_API_KEYS": "shop:short,shop:a secret with spaces in it"]) { $1 }
        ).end()
        #expect(outcome.status == 78)
        for part in ["the-password", "short,", "secret with"] {
            #expect(!outcome.errors.contains(part), "\(outcome.errors)")
        }
    }

    // MARK: Start

    @Test(.needsSQLite("several gateways serve from one database"))
    func `a second serve on the same store says what blocks it and exits`() async throws {
        try await Fixture.run { fixture in
            let second = try await fixture.command(["serve"])
            #expect(second.status == 1)
            #expect(second.errors.contains("another kling-gateway serves from this store"), "\(second.errors)")
            #expect(second.errors.contains("gateway.db.lock"))
            #expect(try await fixture.create().status == 200)
        }
    }

    @Test(arguments: ["serve", "check-config"])
    func `all problems of a configuration are reported at once, with status 78`(command: String) async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(
            """
            listen: nowhere
            workers: many
            limits: { body: 1KiB, conections: 5 }
            upstreams: [{ name: kling, url: "htp://a.example", access_key: a }]
            query: { freshness: 1 fortnight }
            """, to: "config.yaml")
        let outcome = try await Program.gateway(
            [command, "--config", file],
            environment: ["HOME": folder.path(""), "KLING_GATEWAY_LOG_LEVEL": "loud", "KLING_SECRET_KEY": "half"]
        ).end()
        #expect(outcome.status == 78)
        #expect(outcome.output == "")
        for part in [
            "9 problems in \(file)", "listen (line 1)", "workers (line 2)", "limits.body (line 3)",
            "limits.conections (line 3)", "upstreams[0].url (line 4)", "access_key without secret_key",
            "query.freshness (line 5)", "KLING_ACCESS_KEY: is not set", "KLING_GATEWAY_LOG_LEVEL",
        ] { #expect(outcome.errors.contains(part), "\(part) is not in:\n\(outcome.errors)") }
    }

    // MARK: Listeners

    @Test func `a Unix-domain socket is served, survives a kill and is removed at shutdown`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("gateway.sock")
        func ask() async throws -> String {
            try await curl([
                "--unix-socket", path, "-H", "Authorization: Bearer \(GatewayProcess.key)", "-o", "/dev/null", "-w",
                "%{http_code}", "http://gateway\(Fixture.path)",
            ]).written
        }
        func start() async throws -> GatewayProcess {
            try await GatewayProcess(
                kling: "http://127.0.0.1:1", folder: folder,
                environment: ["KLING_GATEWAY_LISTEN": "unix:\(path), 127.0.0.1:0"])
        }
        let first = try await start()
        #expect(try await ask() == "200")
        #expect(try await first.ask("GET", Fixture.path).status == 200)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o660)
        first.program.signal(SIGKILL)
        _ = try await first.program.end()
        let second = try await start()
        #expect(try await ask() == "200")
        #expect(try await second.stop() == 0)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `the admin listener serves probes to all and metrics to the token alone`() async throws {
        try await Fixture.run(environment: ["KLING_GATEWAY_ADMIN_TOKEN": "the-admin-token-of-the-test"]) { fixture in
            let gateway = fixture.gateway
            for (path, text) in [("/healthz", "ok\n"), ("/readyz", "\"ready\":true")] {
                let answer = try await gateway.ask("GET", path, key: nil, admin: true)
                #expect(answer.status == 200)
                #expect(answer.text.contains(text))
                #expect(try await gateway.ask("POST", path, key: nil, body: "", admin: true).status == 405)
            }
            for key in [nil, "wrong", GatewayProcess.key] as [String?] {
                for path in ["/metrics", "/metrics/", "/healthz/", "/openapi.json", "/admin/v1/keys", Fixture.path] {
                    #expect(try await gateway.ask("GET", path, key: key, admin: true).status == 401)
                }
            }
            _ = try await fixture.createdTask()
            let metrics = try await gateway.ask("GET", "/metrics", key: "the-admin-token-of-the-test", admin: true)
            #expect(metrics.status == 200)
            #expect(metrics["Content-Type"]?.hasPrefix("text/plain") == true)
            for line in metrics.text.split(separator: "\n") where !line.hasPrefix("#") {
                #expect(
                    line.wholeMatch(of: /[a-z_:]+(\{[^{}]*\})? [-+.e0-9]+|[a-z_:]+(\{[^{}]*\})? \+Inf/) != nil,
                    "\(line)")
            }
            #expect(try await gateway.ask("GET", "/metrics").status == 404)
        }
    }

    @Test func `every answer of the admin listener has a request id`() async throws {
        try await Fixture.run(environment: ["KLING_GATEWAY_ADMIN_TOKEN": "the-admin-token-of-the-test"]) { fixture in
            for (method, path) in [("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics"), ("POST", "/healthz")] {
                func id(_ headers: [String]) async throws -> String? {
                    try await fixture.gateway.ask(method, path, headers: headers, admin: true)["X-Request-Id"]
                }
                #expect(try await id(["X-Request-Id: ask-4711"]) == "ask-4711")
                let made = [try await id([]), try await id([]), try await id(["X-Request-Id: two words"])]
                #expect(Set(made.compactMap(\.self)).count == 3, "\(method) \(path)")
            }
            let refused = try await fixture.gateway.ask("GET", "/a b", admin: true)
            #expect(refused.status == 400 && refused["X-Request-Id"]?.isEmpty == false)
        }
    }

    // MARK: Shutdown

    @Test func `SIGTERM lets a slow create finish`() async throws {
        try await Fixture.run { fixture in
            try fixture.fail("create:slow=1:1:1")
            let gateway = try await GatewayProcess(kling: fixture.kling.url)
            async let answer = gateway.ask("POST", Fixture.path, body: Fixture.body())
            try await eventually("Kling has the create") { fixture.creates == 1 }
            #expect(try await gateway.stop() == 0)
            #expect(try await answer.status == 200)
        }
    }

    @Test func `SIGTERM lets a create finish even if its client has left`() async throws {
        try await Fixture.run { fixture in
            try fixture.fail("create:slow=15:1:1")
            let gateway = try await GatewayProcess(kling: fixture.kling.url)
            let port = gateway.port
            var client: RawClient? = try await blocking {
                let client = try RawClient(port: port)
                try client.send(Fixture.create(Array(Fixture.body().utf8)))
                return client
            }
            try await eventually("Kling has the create") { fixture.creates == 1 }
            client?.reset()
            client = nil
            _ = try await gateway.program.errorLine { $0.contains("client_gone") ? true : nil }
            #expect(try await gateway.stop() == 0)
            let again = try await GatewayProcess(kling: fixture.kling.url, folder: gateway.folder)
            #expect(try await again.ask("GET", Fixture.path).tasks.count == 1, "\(gateway.program.errorText)")
            #expect(try await again.stop() == 0)
        }
    }

    @Test func `between SIGTERM and the end of the delay, the gateway is unready but serves`() async throws {
        try await Fixture.run(file: "shutdown: { delay: 15s }") { fixture in
            fixture.gateway.program.signal(SIGTERM)
            _ = try await fixture.gateway.program.errorLine { $0.contains("\"stopping\"") ? true : nil }
            let ready = try await fixture.gateway.ask("GET", "/readyz", key: nil, admin: true)
            #expect(ready.status == 503)
            #expect(ready.text.contains("\"ready\":false"))
            #expect(try await fixture.gateway.ask("GET", "/healthz", key: nil, admin: true).status == 200)
            #expect(try await fixture.create().status == 200)
            #expect(try await fixture.gateway.program.end().status == 0)
        }
    }

    // MARK: Commands

    @Test func `commands print JSON for scripts beside a running gateway`() async throws {
        try await Fixture.run { fixture in
            func json(_ arguments: [String]) async throws -> [Any] {
                let outcome = try await fixture.command(arguments)
                #expect(outcome.status == 0, "\(outcome.errors)")
                return try outcome.output.split(separator: "\n").map {
                    try JSONSerialization.jsonObject(with: Data($0.utf8))
                }
            }
            let made = try #require(
                try await json(["keys", "create", "--tenant", "t", "--json"]).first as? [String: String])
            let turned =
                try await json(["keys", "rotate", try #require(made["id"]), "--json"]).first as? [String: String]
            let key = try #require(turned?["key"])
            let listed = try #require(try await json(["keys", "list", "--json"]).first as? [[String: Any]])
            #expect(listed.compactMap { $0["id"] as? String } == [made["id"]] && turned?["id"] == made["id"])
            let texts = listed.flatMap(\.values).compactMap { $0 as? String }
            for secret in [made["key"], made["secret_key"], turned?["key"], turned?["secret_key"]] {
                #expect(!texts.contains(try #require(secret)))
            }
            try await eventually("the new key works") {
                try await fixture.create(#""external_task_id":"odd \"id\"""#, key: key).status == 200
            }
            let tasks = try await json(["tasks", "list", "--json"]).compactMap { $0 as? [String: Any] }
            #expect(tasks.map { $0["external_task_id"] as? String } == ["odd \"id\""])
            for name in ["id", "task_id", "upstream_task_id"] {
                let shown = try await json(["tasks", "show", try #require(tasks.first?[name] as? String)])
                #expect((shown.first as? [String: Any])?["tenant"] as? String == "t")
            }
            #expect(try await fixture.command(["tasks", "show", "815"]).status == 1)
            #expect(try await fixture.command(["keys", "revoke", "nobody"]).status == 1)
            let revoked =
                try await json(["keys", "revoke", try #require(turned?["id"]), "--json"]).first as? [String: String]
            #expect(revoked?["status"] == "revoked" && revoked?["id"] == turned?["id"])
        }
    }

    @Test func `a task that the operator cancels is shown as failed, with the reason`() async throws {
        try await Fixture.run(file: "dispatch: { wait: 0s }") { fixture in
            try fixture.fail("create:1303")
            let id = try await fixture.createdTask()
            var printed = ""
            try await eventually("it can be cancelled") {
                let outcome = try await fixture.command(["tasks", "cancel", id, "--json"])
                printed = outcome.output
                return outcome.status == 0
            }
            let shown = try await fixture.command(["tasks", "show", id, "--json"])
            #expect(shown.status == 0 && shown.output == printed, "\(shown.errors)")
            let task = try JSONSerialization.jsonObject(with: Data(printed.utf8)) as? [String: Any]
            #expect(task?["state"] as? String == "failed" && task?["task_status"] as? String == "failed")
            #expect(task?["task_status_msg"] as? String == "cancelled by the operator; nothing was charged")
        }
    }
}
