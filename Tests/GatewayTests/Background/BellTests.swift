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
        let heeding: Bool
        let during: [Event]
        let ends: Bool

        var testDescription: String { "\(before), heeding: \(heeding), \(during)" }
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
        Row(before: [], heeding: true, during: [], ends: false),
        Row(before: [], heeding: true, during: [.ring], ends: true),
        Row(before: [], heeding: true, during: [.close], ends: true),
        Row(before: [.ring], heeding: true, during: [], ends: true),
        Row(before: [.ring, .ring], heeding: true, during: [], ends: true),
        Row(before: [.close], heeding: true, during: [], ends: true),
        Row(before: [], heeding: false, during: [.ring], ends: false),
        Row(before: [.ring], heeding: false, during: [.ring], ends: false),
        Row(before: [], heeding: false, during: [.close], ends: true),
        Row(before: [.close], heeding: false, during: [], ends: true),
    ]

    @Test(arguments: rows)
    func `a wait ends by a ring that it heeds, or once the bell is closed`(row: Row) async throws {
        let loop = try EventLoop(name: "bell")
        let hasEnded = Lock(false)
        await loop.spawn {
            let bell = Bell(loop: loop)
            let send = { (events: [Event]) in
                for event in events { if event == .ring { bell.ring() } else { bell.close() } }
            }
            send(row.before)
            let waiter = loop.spawn {
                await bell.wait(for: .seconds(600), heeding: row.heeding)
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
            await bell.wait(for: .milliseconds(1), heeding: false)
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

    @Test func `a ring that a wait did not heed ends the next one`() async throws {
        try await withBell { bell in
            bell.ring()
            await bell.wait(for: .milliseconds(1), heeding: false)
            await bell.wait(for: .seconds(600))
        }
    }
}
