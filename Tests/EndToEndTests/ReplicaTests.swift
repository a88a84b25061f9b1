import Base
import EventLoop
import Foundation
import KlingSimulator
import TestKit
import Testing

/// Two gateways with one store in PostgreSQL, behind HAProxy, as Config/replicas sets them up.
@Suite(.aFewAtATime, .needsNoStore) struct ReplicaTests {
    /// The gateways keep their addresses over restarts.
    private struct Replica {
        let folder: TemporaryFolder
        let environment: [String: String]
        var process: GatewayProcess

        init(kling: String, store: String) async throws {
            folder = try TemporaryFolder()
            environment = [
                "KLING_GATEWAY_CONFIG": RealClient.root.appending(path: "Config/replicas/gateway.yaml").path,
                "KLING_GATEWAY_LISTEN": "127.0.0.1:\(try freePort())",
                "KLING_GATEWAY_ADMIN_LISTEN": "127.0.0.1:\(try freePort())",
                "KLING_GATEWAY_MASTER_KEY": String(repeating: "0123456789abcdef", count: 4),
                "KLING_GATEWAY_STORE": store,
                "STATE_DIRECTORY": folder.path("state"),
            ]
            process = try await GatewayProcess(kling: kling, folder: folder, environment: environment)
        }

        mutating func start(kling: String) async throws { process = try await starting(kling: kling) }

        func starting(kling: String) async throws -> GatewayProcess {
            try await GatewayProcess(kling: kling, folder: folder, environment: environment)
        }
    }

    /// Sends creates through HAProxy, one after the other, until `body` has ended, and a query after each.
    /// - Returns: what was answered; nil for a connection that was closed without an answer.
    private func load(
        _ proxy: HAProxy, while body: () async throws -> Void
    ) async throws -> (creates: [RawClient.Answer?], queries: [RawClient.Answer?]) {
        let hasEnded = Lock(false)
        async let answers = {
            var (creates, queries): ([RawClient.Answer?], [RawClient.Answer?]) = ([], [])
            while !hasEnded.withLock({ $0 }) {
                let order = #""external_task_id":"order-\#(creates.count)""#
                creates.append(try await proxy.ask("POST", Fixture.path, body: Fixture.body(order)))
                queries.append(try await proxy.ask("GET", Fixture.path))
            }
            return (creates, queries)
        }()
        do { try await body() } catch {
            hasEnded.withLock { $0 = true }
            _ = try await answers
            throw error
        }
        hasEnded.withLock { $0 = true }
        return try await answers
    }

    private func run(
        _ body: (_ kling: KlingSimulator, inout [Replica], _ proxy: HAProxy, _ store: String) async throws -> Void
    ) async throws {
        let loop = try EventLoop(name: "kling")
        defer { loop.stop() }
        let keys: [SimulatedAccount.Key] = [
            .signed(accessKey: "simulated-access-key", secretKey: Secret("simulated-secret-key"))
        ]
        let account = SimulatedAccount(name: "kling", keys: keys, concurrency: nil)
        let kling = try KlingSimulator(configuration: SimulatorConfiguration(accounts: [account]), loops: [loop])
        try await kling.start()
        let store = try await PostgresServer.shared.makeDatabase()
        var replicas = [
            try await Replica(kling: kling.url, store: store), try await Replica(kling: kling.url, store: store),
        ]
        let proxy = try await HAProxy(
            replicas.map { HAProxy.Backend(port: $0.process.port, adminPort: $0.process.adminPort) })
        try await body(kling, &replicas, proxy, store)
        for replica in replicas { replica.process.program.signal(SIGKILL) }
        await kling.stop()
    }

    @Test func `behind HAProxy, gateways are restarted one after the other without an error`() async throws {
        try await run { kling, replicas, proxy, _ in
            var replicas = replicas
            let (creates, queries) = try await load(proxy) {
                for number in [0, 1] {
                    let process = replicas[number].process
                    #expect(try await process.stop() == 0, "\(process.program.errorText.suffix(4000))")
                    try await proxy.waitForLine("Server writes/gateway-\(number + 1) is DOWN")
                    try await replicas[number].start(kling: kling.url)
                    try await proxy.waitForLine("Server writes/gateway-\(number + 1) is UP")
                }
            }
            for answer in creates + queries { #expect(answer?.status == 200, "\(answer?.text ?? "no answer")") }
            #expect(creates.count > 20)
            #expect(kling.tasks.count == creates.count)
        }
    }

    @Test func `if a gateway is killed, HAProxy repeats no create, and every query is answered`() async throws {
        try await run { kling, replicas, proxy, _ in
            let killed = replicas[0].process.program
            let (creates, queries) = try await load(proxy) {
                killed.signal(SIGKILL)
                try await proxy.waitForLine("Server writes/gateway-1 is DOWN")
            }
            for answer in queries { #expect(answer?.status == 200, "\(answer?.text ?? "no answer")") }
            // The create that the gateway was working on.
            let failed = creates.filter { $0?.status != 200 }
            #expect(failed.count <= 1 && failed.allSatisfy { $0?.status == 502 })
            #expect((creates.count - failed.count...creates.count).contains(kling.tasks.count))
        }
    }

    @Test func `a create that a gateway reads late is made once if its client has sent it to another`() async throws {
        try await run { kling, replicas, _, store in
            let (late, other) = (replicas[0].process, replicas[1].process)
            late.program.signal(SIGSTOP)
            let first = try RawClient(port: late.port)
            try first.send(
                "POST \(Fixture.path) HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer \(GatewayProcess.key)\r\n"
                    + "Content-Length: \(Fixture.body().utf8.count)\r\n\r\n" + Fixture.body())
            first.finish()
            #expect(try await other.ask("POST", Fixture.path, body: Fixture.body()).status == 200)
            // The other gateway saves that its answer was read: there is only what separates the two lists.
            let saved = """
                SELECT count(*) FROM kling_gateway.unread WHERE written_through = 1 AND octet_length(tasks) = 16
                """
            while try await PostgresServer.shared.query(saved, in: store) != "1" { await Task.yield() }
            late.program.signal(SIGCONT)
            // It has left, but could still read what it is answered.
            let belated = try await blocking { try first.readAnswer() }
            #expect(belated?.status == 200 && belated?["Idempotent-Replayed"] == "true")
            #expect(kling.tasks.count == 1)
            // Two creates on purpose, at two gateways.
            for replica in [late, other] {
                #expect(try await replica.ask("POST", Fixture.path, body: Fixture.body()).status == 200)
            }
            #expect(kling.tasks.count == 3)
        }
    }

    @Test func `a gateway that is replaced while it starts starts anew`() async throws {
        try await run { kling, replicas, _, store in
            #expect(try await replicas[0].process.stop() == 0)
            let server = try await PostgresServer.shared
            let input = Pipe()
            // What a start reads, when it has joined, has to wait.
            let hold = try server.session(in: store, input: input.fileHandleForReading)
            try input.fileHandleForWriting.write(
                contentsOf: Data("BEGIN; LOCK TABLE kling_gateway.accounts;\n\\warn held\n".utf8))
            try await hold.errorLine { $0 == "held" ? () : nil }
            async let started = replicas[0].starting(kling: kling.url)
            let newest = "SELECT max(number) FROM kling_gateway.replicas WHERE beats > 2"
            while try await server.query(newest, in: store) != "3" { await Task.yield() }
            _ = try await server.query("DELETE FROM kling_gateway.replicas WHERE number = 3", in: store)
            hold.signal(SIGKILL)
            let process = try await started
            #expect(try await process.ask("POST", Fixture.path, body: Fixture.body()).status == 200)
            #expect(try await server.query(newest, in: store) == "4")
            process.program.signal(SIGKILL)
        }
    }
}
