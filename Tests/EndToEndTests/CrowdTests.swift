import Foundation
import TestKit
import Testing

/// Many clients that cost little: idle ones and slow senders.
@Suite(.aFewAtATime) struct CrowdTests {
    private static let slowCount = 200
    private static let bodyLength = 1 << 20

    /// As many idle clients as this process may have, less what it needs for other tests.
    private static let idleCount: Int = {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return 100 }
        limit.rlim_cur = limit.rlim_max
        setrlimit(resource, &limit)
        getrlimit(resource, &limit)
        return min(2000, max(100, Int(clamping: limit.rlim_cur) - slowCount - 600))
    }()

    /// Keep-alive connections that have been served once.
    private func idle(_ port: UInt16) async throws -> [RawClient] {
        try await blocking {
            try (0..<Self.idleCount).map { _ in
                let client = try RawClient(port: port)
                try Self.use(client)
                return client
            }
        }
    }

    private static func use(_ client: RawClient) throws {
        let head = "GET \(Fixture.path) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(GatewayProcess.key)\r\n\r\n"
        try client.send(head)
        guard let answer = try client.readAnswer(), answer.status == 200 else {
            throw TestKitError("a connection that was idle was not served")
        }
    }

    /// Half of them stop in the middle of a head, half in the middle of a large body.
    private func slow(_ port: UInt16) async throws -> [RawClient] {
        try await blocking {
            try (0..<Self.slowCount).map { number in
                let client = try RawClient(port: port)
                let head = Fixture.createHead(length: Self.bodyLength)
                if number % 2 == 0 {
                    client.offer(Array((head.dropLast(2) + "X-Slow: ").utf8))
                } else {
                    client.offer(Array(head.utf8) + [UInt8](repeating: 0x20, count: Self.bodyLength / 2))
                }
                return client
            }
        }
    }

    private func bodyBytes(_ fixture: Fixture) async throws -> Int {
        let metrics = try await fixture.gateway.ask("GET", "/metrics", key: nil, admin: true).text
        let line = metrics.split(separator: "\n").first { $0.hasPrefix("kling_gateway_body_bytes ") }
        return try #require(line?.split(separator: " ").last.flatMap { Int($0) })
    }

    @Test func `idle connections and slow senders block no other client, and memory stays flat`() async throws {
        let file = "limits: { body: 4MiB, buffered_bytes: 16MiB }"
        try await Fixture.run(file: file) { fixture in
            let (port, program) = (fixture.gateway.port, fixture.gateway.program)
            #expect(try await fixture.create().status == 200)
            let before = program.residentBytes
            let idle = try await idle(port)
            var slow = try await slow(port)
            let crowded = program.residentBytes
            for _ in 0..<10 {
                for client in slow { client.offer([0x20]) }
                for key in [GatewayProcess.key, GatewayProcess.otherKey] {
                    #expect(try await fixture.create(key: key).status == 200)
                    #expect(try await fixture.gateway.ask("GET", Fixture.path, key: key).status == 200)
                }
                #expect(try await bodyBytes(fixture) <= 16 << 20)
            }
            // The slow clients belong to one tenant, so half of the body memory is left to others.
            let large = #""note":"\#(String(repeating: "x", count: Self.bodyLength))""#
            #expect(try await fixture.create(large, key: GatewayProcess.otherKey).status == 200)
            #expect(try await fixture.gateway.ask("GET", "/readyz", admin: true).status == 200)
            if let before, let crowded, let after = program.residentBytes {
                #expect(crowded - before < 64 << 20)
                #expect(after - crowded < 32 << 20)
            }
            try await blocking { for client in idle { try Self.use(client) } }
            slow = []
            try await eventually("all memory for bodies is given back") { try await bodyBytes(fixture) == 0 }
        }
    }
}
