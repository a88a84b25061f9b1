import Base
import EventLoop
import Testing

/// What writes at the end of a loop's turn.
struct TurnWriterTests {
    /// Writes its name into a trace.
    private final class Writer: TurnWriter, @unchecked Sendable {
        // @unchecked: it is only used on the loop.
        private let name: String
        private let body: (String) -> Void

        init(_ name: String, _ body: @escaping (String) -> Void) { (self.name, self.body) = (name, body) }

        func write() { body(name) }
    }

    /// Runs `body` in one turn of a loop, and returns what the trace has when the loop has nothing left to do.
    private func traced(
        _ body: @escaping @Sendable (EventLoop, _ note: @escaping @Sendable (String) -> Void) -> Void
    ) throws -> [String] {
        let (loop, trace) = (try EventLoop(name: "turns"), Lock<[String]>([]))
        loop.execute { body(loop) { event in trace.withLock { $0.append(event) } } }
        // Its thread ends after the turn in which it is stopped.
        loop.stop()
        return trace.withLock(\.self)
    }

    @Test func `it writes after the jobs that are ready, and those that they make ready`() throws {
        let events = try traced { loop, note in
            loop.writeAtEndOfTurn(Writer("first", note))
            loop.execute {
                note("job")
                loop.writeAtEndOfTurn(Writer("second", note))
                loop.execute { note("job's job") }
            }
        }
        #expect(events == ["job", "job's job", "first", "second"])
    }

    @Test func `the jobs that a write makes ready run in the same turn, and may have something written`() throws {
        let events = try traced { loop, note in
            let first = Writer("first") { name in
                note(name)
                loop.execute {
                    note("job of \(name)")
                    loop.writeAtEndOfTurn(Writer("second", note))
                }
            }
            loop.writeAtEndOfTurn(first)
        }
        #expect(events == ["first", "job of first", "second"])
    }

    @Test func `jobs that enqueue jobs forever do not put writes off`() async throws {
        let loop = try EventLoop(name: "busy")
        let isOver = Lock(false)
        @Sendable func again() { if !isOver.withLock(\.self) { loop.execute { again() } } }
        await withCheckedContinuation { continuation in
            loop.execute {
                again()
                loop.writeAtEndOfTurn(Writer("write") { _ in continuation.resume() })
            }
        }
        isOver.withLock { $0 = true }
        loop.stop()
    }
}
