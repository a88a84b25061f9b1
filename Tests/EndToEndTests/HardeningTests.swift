import Foundation
import TestKit
import Testing

/// What a process leaves behind, and what it tells unauthorized clients.
@Suite(.aFewAtATime) struct HardeningTests {
    // MARK: The log

    @Test func `a flood of wrong keys is summarized in the log and counted in full by the metrics`()
        async throws
    {
        try await Fixture.run { fixture in
            let (port, gateway) = (fixture.gateway.port, fixture.gateway)
            let (count, start) = (500, ContinuousClock.now)
            try await blocking {
                let client = try RawClient(port: port)
                for _ in 0..<count {
                    try client.send("GET \(Fixture.path) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer sk-wrong\r\n\r\n")
                    #expect(try client.readAnswer()?.status == 401)
                }
            }
            let seconds = Int((ContinuousClock.now - start).components.seconds) + 2
            for _ in 0..<30 { #expect(try await gateway.ask("GET", Fixture.path).status == 200) }
            let metrics = try await gateway.ask("GET", "/metrics", admin: true).text.split(separator: "\n")
            #expect(metrics.contains { $0.contains("status=\"401\"") && $0.hasSuffix(" \(count)") })
            #expect(try await gateway.stop() == 0)
            let lines = gateway.program.errorText.split(separator: "\n").compactMap {
                try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: String]
            }
            let written = lines.count { $0["status"] == "401" }
            let summarized = lines.compactMap { $0["requests"].flatMap { Int($0) } }
            #expect((10...10 * seconds).contains(written))
            #expect(summarized.count <= seconds)
            #expect(written + summarized.reduce(0, +) == count)
            #expect(lines.count { $0["status"] == "200" } == 30)
        }
    }

    // MARK: The admin listener

    @Test func `metrics are protected against DNS rebinding`() async throws {
        try await Fixture.run { fixture in
            for (host, status) in [
                ("evil.example:9090", 421), ("127.0.0.1", 200), ("localhost:1", 200), ("[::1]", 200),
            ] {
                let request = "GET /metrics HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n"
                let answer = try await fixture.exchange(Array(request.utf8), admin: true)
                #expect(answer.status == status, "\(host)")
                #expect(answer.text.contains("kling_gateway_") == (status == 200))
            }
            let probe = "GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n"
            #expect(try await fixture.exchange(Array(probe.utf8), admin: true).status == 200)
        }
    }

    @Test func `OPTIONS for the whole server lists its methods`() async throws {
        try await Fixture.run { fixture in
            for (admin, methods) in [(false, "GET, HEAD, POST, OPTIONS"), (true, "GET, HEAD, OPTIONS")] {
                let answer = try await fixture.exchange(
                    Array("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n".utf8), admin: admin)
                #expect(answer.status == 200 && answer["Allow"] == methods && answer["Content-Length"] == "0")
                #expect(answer["X-Request-Id"] != nil && answer.body.isEmpty)
                let bad = try await fixture.exchange(Array("GET * HTTP/1.1\r\nHost: a\r\n\r\n".utf8), admin: admin)
                #expect(bad.status == 400)
            }
        }
    }

    // MARK: Bodies

    @Test func `a query with broken chunks is refused, even if its answer is known at once`() async throws {
        try await Fixture.run { fixture in
            let id = try await fixture.createdTask()
            try await eventually("the task has ended") {
                try await fixture.gateway.ask("GET", Fixture.path + "/" + id).data["task_status"] as? String
                    == "succeed"
            }
            for path in [Fixture.path + "/" + id, Fixture.path, "/docs", "/nowhere"] {
                let head = "GET \(path) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(GatewayProcess.key)\r\n"
                for (body, status) in [("2\r\nabc\r\n0\r\n\r\n", 400), ("g\r\n", 400), ("10001\r\n", 413)] {
                    let request = head + "Transfer-Encoding: chunked\r\n\r\n" + body
                    let answer = try await fixture.exchange(Array(request.utf8))
                    #expect(answer.status == status && answer["Connection"] == "close", "\(path) \(body)")
                    #expect(answer["X-Request-Id"] != nil)
                }
                let request = head + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
                let answer = try await fixture.exchange(Array(request.utf8))
                #expect(answer.status == (path == "/nowhere" ? 404 : 200) && answer["Connection"] == nil, "\(path)")
            }
        }
    }

    @Test func `a body that the system has no memory for gets 503, and the gateway keeps serving`() async throws {
        try await Fixture.run(file: Fixture.knownAccount) { fixture in
            let program = fixture.gateway.program
            #expect(try await fixture.create().status == 200)
            let status = try String(contentsOfFile: "/proc/\(program.identifier)/status", encoding: .utf8)
            let size = status.split(separator: "\n").first { $0.hasPrefix("VmSize:") }
                .flatMap { $0.split(whereSeparator: { " \t".contains($0) }).dropFirst().first }.flatMap { Int($0) }
            let limit = try #require(size) << 10 + 12 << 20
            let limited = try await Program("prlimit", ["--pid", "\(program.identifier)", "--as=\(limit)"]).end()
            #expect(limited.status == 0, "\(limited.errors)")
            let large = Fixture.body(#""note":"\#(String(repeating: "x", count: 24 << 20))""#)
            for _ in 0..<3 {
                let answer = try await fixture.exchange(Fixture.create(Array(large.utf8)))
                #expect(answer.status == 503 && answer["Retry-After"] != nil)
                #expect(answer.text.contains("\"overloaded\""))
                #expect(try await fixture.create().status == 200)
            }
            #expect(fixture.creates == 4)
        }
    }

    // MARK: What is left behind

    @Test func `no TLS session keys are written even if SSLKEYLOGFILE is set`() async throws {
        let folder = try TemporaryFolder()
        let file = folder.path("keys.log")
        try await Fixture.run(environment: ["SSLKEYLOGFILE": file]) { fixture in
            let created = try await fixture.create()
            let listed = try await fixture.command(["keys", "list"], environment: ["SSLKEYLOGFILE": file])
            #expect(created.status == 200 && listed.status == 0)
        }
        #expect(!FileManager.default.fileExists(atPath: file))
    }

    @Test func `the gateway leaves no core dump, and other users cannot inspect its process`() async throws {
        try await Fixture.run(launcher: ["/bin/sh", "-c", "ulimit -c unlimited; exec \"$@\"", "sh"]) { fixture in
            let process = "/proc/\(fixture.gateway.program.identifier)"
            let limits = try String(contentsOfFile: process + "/limits", encoding: .utf8)
            let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
            #expect(line.split(separator: " ").dropFirst(4).prefix(2) == ["0", "0"])
            if geteuid() == 0 { return print("not checked as root: the owner of /proc/PID") }
            #expect(try FileManager.default.attributesOfItem(atPath: process)[.ownerAccountID] as? Int == 0)
        }
    }
}
