import Base
import EventLoop
import Testing

@testable import HTTPClient

/// Look-ups that the test answers itself.
private final class FakeLookUps: @unchecked Sendable {
    // @unchecked: only used on the loop.
    var pending: [(name: String, done: @Sendable (NameLookup.Result) -> Void)] = []
    var names: [String] { pending.map(\.name) }
    func answer(_ result: NameLookup.Result) { pending.removeFirst().done(result) }
}

struct NameResolverTests {
    private func withResolver(
        cacheTime: Duration = .seconds(60),
        _ body: @escaping @Sendable (NameResolver, FakeLookUps, EventLoop) async -> Void
    ) async throws {
        let loop = try EventLoop(name: "names")
        await loop.spawn {
            let fake = FakeLookUps()
            let resolver = NameResolver(loop: loop, cacheTime: cacheTime) { name, done in
                fake.pending.append((name, done))
                return true
            }
            await body(resolver, fake, loop)
        }.value
        loop.stop()
    }

    private func addresses(_ texts: String...) -> [IPAddress] { texts.compactMap { IPAddress($0) } }

    @Test func `addresses and localhost need no look-up`() async throws {
        try await withResolver { resolver, _, _ in
            #expect(resolver.addresses(of: "192.0.2.1") == addresses("192.0.2.1"))
            #expect(resolver.addresses(of: "2001:db8::1") == addresses("2001:db8::1"))
            #expect(resolver.addresses(of: "localhost") == addresses("::1", "127.0.0.1"))
            #expect(resolver.addresses(of: "a.localhost") == addresses("::1", "127.0.0.1"))
            #expect(resolver.addresses(of: "a.test") == nil)
        }
    }

    @Test func `requests for one name share a look-up, whose result is remembered`() async throws {
        try await withResolver { resolver, fake, loop in
            let results = Lock<[NameLookup.Result]>([])
            for _ in 0..<3 { _ = resolver.lookUp("a.test") { result in results.withLock { $0.append(result) } } }
            #expect(fake.names == ["a.test"])
            fake.answer(addresses("192.0.2.1"))
            try? await loop.sleep(for: .zero)
            #expect(results.withLock { $0 } == Array(repeating: addresses("192.0.2.1"), count: 3))
            #expect(resolver.addresses(of: "a.test") == addresses("192.0.2.1"))
        }
    }

    @Test func `a failed look-up is not remembered, and an old result is forgotten`() async throws {
        try await withResolver(cacheTime: .zero) { resolver, fake, loop in
            for result in [nil, addresses("192.0.2.1")] {
                let got = Lock<[NameLookup.Result]>([])
                _ = resolver.lookUp("a.test") { found in got.withLock { $0.append(found) } }
                fake.answer(result)
                try? await loop.sleep(for: .zero)
                #expect(got.withLock { $0 } == [result])
                #expect(resolver.addresses(of: "a.test") == nil)
            }
        }
    }

    @Test func `only some look-ups run at a time, and cancelled ones that have not begun never do`() async throws {
        try await withResolver { resolver, fake, loop in
            var tickets: [UInt64] = []
            for number in 0..<NameResolver.concurrency + 2 {
                tickets.append(resolver.lookUp("\(number).test") { _ in Issue.record("a cancelled waiter was called") })
            }
            #expect(fake.pending.count == NameResolver.concurrency)
            for (number, ticket) in tickets.enumerated() { resolver.cancel(ticket, of: "\(number).test") }
            while !fake.pending.isEmpty {
                fake.answer(nil)
                try? await loop.sleep(for: .zero)
                #expect(fake.pending.count < NameResolver.concurrency)
            }
        }
    }

    @Test func `families take turns, beginning with the first`() {
        let mixed = addresses("2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1")
        #expect(
            NameLookup.alternating(mixed) == addresses("2001:db8::1", "192.0.2.1", "2001:db8::2", "2001:db8::3"))
        #expect(NameLookup.alternating(addresses("192.0.2.1", "::1")) == addresses("192.0.2.1", "::1"))
    }

    @Test func `the system resolves a name, and knows when there is none`() {
        #expect(NameLookup.resolve("localhost")?.isEmpty == false)
        #expect(NameLookup.resolve("name.invalid") == nil)
    }
}
