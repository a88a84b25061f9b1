import Base
import EventLoop
import TestKit
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(5))) struct BellTests {
    enum Event {
        case ring, close
    }

    struct Row: CustomTestStringConvertible, Sendable {
        let before: [Event]
        let endsOnRing: Bool
        let during: [Event]
        let ends: Bool

        var testDescription: String { "\(before), endsOnRing: \(endsOnRing), \(during)" }
    }

    /// Runs `body` on a loop with a bell.
    private func withBell(_ body: @escaping @Sendable (Bell) async -> Void) async throws {
        let loop = try EventLoop(name: "bell")
        await loop.spawn {
            let bell = Bell(loop: loop)
            await body(bell)
        }
        .value
        loop.stop()
    }

    private static let rows = [
        Row(before: [], endsOnRing: true, during: [], ends: false),
        Row(before: [], endsOnRing: true, during: [.ring], ends: true),
        Row(before: [], endsOnRing: true, during: [.close], ends: true),
        Row(before: [.ring], endsOnRing: true, during: [], ends: true),
        Row(before: [.ring, .ring], endsOnRing: true, during: [], ends: true),
        Row(before: [.close], endsOnRing: true, during: [], ends: true),
        Row(before: [], endsOnRing: false, during: [.ring], ends: false),
        Row(before: [.ring], endsOnRing: false, during: [.ring], ends: false),
        Row(before: [], endsOnRing: false, during: [.close], ends: true),
        Row(before: [.close], endsOnRing: false, during: [], ends: true),
    ]

    @Test(arguments: rows)
    func `a wait ends on a ring unless it ignores rings, or when the bell is closed`(row: Row) async throws {
        let loop = try EventLoop(name: "bell")
        let hasEnded = Lock(false)
        await loop.spawn {
            let bell = Bell(loop: loop)
            let send = { (events: [Event]) in
                for event in events { if event == .ring { bell.ring() } else { bell.close() } }
            }
            send(row.before)
            let waiter = loop.spawn {
                await bell.wait(for: .seconds(600), endsOnRing: row.endsOnRing)
                hasEnded.withLock { $0 = true }
            }
            await loop.spawn {}.value
            send(row.during)
            await loop.spawn {}.value
            #expect(hasEnded.withLock { $0 } == row.ends)
            bell.close()
            await waiter.value
        }
        .value
        loop.stop()
    }

    @Test func `a wait without a ring ends after its duration`() async throws {
        try await withBell { bell in
            await bell.wait(for: .milliseconds(1))
            await bell.wait(for: .milliseconds(1), endsOnRing: false)
        }
    }

    @Test func `a ring ends one wait only`() async throws {
        try await withBell { bell in
            bell.ring()
            await bell.wait(for: .seconds(600))
            let start = MonotonicTime.now
            await bell.wait(for: .milliseconds(20))
            #expect(MonotonicTime.now - start >= .milliseconds(15))
        }
    }

    @Test func `a ring that one wait ignores ends the next one`() async throws {
        try await withBell { bell in
            bell.ring()
            await bell.wait(for: .milliseconds(1), endsOnRing: false)
            await bell.wait(for: .seconds(600))
        }
    }
}
