import Foundation
import TestKit
import Testing

/// The gateway under a descriptor limit far below what its configuration asks for.
@Suite(.aFewAtATime) struct DescriptorTests {
    private static func limited(to count: Int) -> [String] {
        ["/bin/sh", "-c", "ulimit -n \(count); exec \"$@\"", "sh"]
    }

    private static func create(_ client: RawClient) throws -> Int? {
        try client.send(Fixture.create(Array(Fixture.body().utf8)))
        return try client.readAnswer()?.status
    }

    private func fast<Value>(_ what: String, _ body: () async throws -> Value) async throws -> Value {
        let start = ContinuousClock.now
        let value = try await body()
        // Far below any timeout; other tests may be using the processors.
        #expect(ContinuousClock.now - start < .seconds(5), "\(what)")
        return value
    }

    @Test func `idle strangers up to the limit block no other client`() async throws {
        try await Fixture.run(file: Fixture.knownAccount, launcher: Self.limited(to: 256)) { fixture in
            let gateway = fixture.gateway
            let (port, admin) = (gateway.port, gateway.adminPort)
            let known = try RawClient(port: port)
            #expect(try await blocking { try Self.create(known) } == 200)
            let strangers = try await blocking { try (0..<230).map { _ in try RawClient(port: port) } }
            let atAdmin = try await blocking { try (0..<60).map { _ in try RawClient(port: admin) } }
            #expect(try await fast("known") { try await blocking { try Self.create(known) } } == 200)
            for _ in 0..<20 {
                #expect(try await fast("new") { try await fixture.create().status } == 200)
                for path in ["/healthz", "/readyz"] {
                    #expect(try await fast(path) { try await gateway.ask("GET", path, admin: true).status } == 200)
                }
            }
            #expect(try await fast("known") { try await blocking { try Self.create(known) } } == 200)
            let log = gateway.program.errorText.split(separator: "\n")
            let lowered = log.filter { $0.contains("lowered to what the limit of open files allows") }
            #expect(lowered.count == 1 && lowered[0].contains("\"limit\":\"256\"") && lowered[0].contains("ulimit -n"))
            #expect(log.count { $0.contains("\"message\":\"server\"") } <= 2)
            #expect(!log.contains { $0.contains("lack of descriptors") || $0.contains("\"level\":\"error\"") })
            #expect(try #require(gateway.program.processorSeconds) < 20)
            withExtendedLifetime((strangers, atAdmin)) {}
        }
    }

    // MARK: No descriptors left

    /// Takes away all descriptors that the gateway has not opened yet.
    private func exhaust(_ program: Program) async throws {
        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(program.identifier)/fd")
        let numbers = Set(open.compactMap { Int($0) })
        let free = try #require((0...).first { !numbers.contains($0) })
        let outcome = try await Program("prlimit", ["--pid", "\(program.identifier)", "--nofile=\(free)"]).end()
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    @Test func `idle connections give way when the system has no descriptors left`() async throws {
        try await Fixture.run(file: Fixture.knownAccount) { fixture in
            let port = fixture.gateway.port
            #expect(try await fixture.create().status == 200)
            let strangers = try await blocking { try (0..<40).map { _ in try RawClient(port: port) } }
            try await eventually("all are let in") {
                try await fixture.gateway.ask("GET", "/metrics", admin: true).text
                    .contains("kling_gateway_connections_open 40\n")
            }
            try await exhaust(fixture.gateway.program)
            // Connections that have closed since then have freed a descriptor or two, which these clients take.
            let late = try await blocking { try (0..<5).map { _ in try RawClient(port: port) } }
            for _ in 0..<3 {
                #expect(try await fast("list") { try await fixture.gateway.ask("GET", Fixture.path) }.status == 200)
            }
            #expect(try await fast("create") { try await fixture.create().status } == 200)
            _ = try await fixture.gateway.program.errorLine { $0.contains("lack of descriptors") ? true : nil }
            withExtendedLifetime((strangers, late)) {}
        }
    }

    @Test func `if no connection is idle, a new client is refused at once and busy ones are served`() async throws {
        try await Fixture.run(file: Fixture.knownAccount) { fixture in
            let port = fixture.gateway.port
            let head = "GET \(Fixture.path) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(GatewayProcess.key)\r\n"
            var busy = try await blocking {
                try (0..<5).map { _ in
                    let client = try RawClient(port: port)
                    try client.send(head)
                    return client
                }
            }
            try await eventually("all are let in") {
                try await fixture.gateway.ask("GET", "/metrics", admin: true).text
                    .contains("kling_gateway_connections_open 5\n")
            }
            try await exhaust(fixture.gateway.program)
            // Connections that have closed since then have freed a descriptor or two, which these clients take.
            busy += try await blocking {
                var more: [RawClient] = []
                while more.count < 10 {
                    let client = try RawClient(port: port, receiveTimeout: 1)
                    try client.send(head)
                    if (try? client.readAnswer()) != nil { break }
                    more.append(client)
                }
                return more
            }
            let (all, before) = (busy, try #require(fixture.gateway.program.processorSeconds))
            for _ in 0..<3 {
                let answer = try await fast("refusal") {
                    try await blocking { try RawClient(port: port).readAnswer() }
                }
                #expect(answer?.status == 503 && answer?["Retry-After"] == "1")
            }
            try await blocking {
                for client in all {
                    try client.send("\r\n")
                    #expect(try client.readAnswer()?.status == 200)
                }
            }
            #expect(try #require(fixture.gateway.program.processorSeconds) - before < 1)
            #expect(try await fast("list") { try await fixture.gateway.ask("GET", Fixture.path) }.status == 200)
        }
    }

    @Test func `a limit too low to serve anything is refused with the minimum needed`() async throws {
        let folder = try TemporaryFolder()
        let outcome = try await Program.gateway(
            ["serve"], launcher: Self.limited(to: 64),
            environment: try await GatewayProcess.environment(kling: "", folder)
        ).end()
        #expect(outcome.status != 0)
        #expect(outcome.errors.contains("the limit of open files is 64, and serving needs at least"))
    }
}

extension Program {
    /// The processor time used so far; nil if the system does not report it.
    var processorSeconds: Double? {
        guard let text = try? String(contentsOfFile: "/proc/\(identifier)/stat", encoding: .utf8),
            let rest = text.split(separator: ")").last?.split(separator: " "), rest.count > 12,
            let user = Double(rest[11]), let system = Double(rest[12])
        else { return nil }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
