import Base
import Dispatch
import Testing

@testable import Pictures

/// Blocking work runs on a few threads, and no more of it is accepted than there is room for.
struct PictureWorkersTests {
    private struct Broken: Error, Equatable {}

    @Test func `the result of the work is returned, and its error too`() async throws {
        let workers = PictureWorkers(concurrency: 1, room: 4)
        let made: Result<Int, Never> = try await workers.run { 42 }
        #expect(made.get() == 42)
        let failed: Result<Int, Broken> = try await workers.run { () throws(Broken) in throw Broken() }
        #expect(throws: Broken()) { try failed.get() }
    }

    @Test func `work without room is refused, and waiting work is done`() async throws {
        let workers = PictureWorkers(concurrency: 1, room: 1)
        let (gate, begun) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let first = Task { () -> Int? in
            try await workers.run { () -> Int in
                begun.signal()
                gate.wait()
                return 1
            }.get()
        }
        await wait(for: begun)
        // The thread is busy: one more may wait, whichever of these two comes first.
        let others = [2, 3].map { number in Task { try? await workers.run { number }.get() } }
        let refused = await withTaskGroup(of: Int?.self) { group in
            for other in others { group.addTask { await other.value } }
            let early = await group.next() ?? nil
            gate.signal()
            let late = await group.next() ?? nil
            return (early: early, late: late)
        }
        #expect(refused.early == nil && refused.late != nil)
        #expect(try await first.value == 1)
    }

    @Test func `after a stop, new work is refused and running work is finished`() async throws {
        let workers = PictureWorkers(concurrency: 1, room: 4)
        let (gate, begun) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let first = Task {
            try await workers.run { () -> Int in
                begun.signal()
                gate.wait()
                return 1
            }.get()
        }
        await wait(for: begun)
        workers.stop()
        gate.signal()
        #expect(try await first.value == 1)
        await #expect(throws: PictureWorkers.Refusal.stopped) { _ = try await workers.run { 2 } }
    }

    private func wait(for semaphore: DispatchSemaphore) async {
        await withCheckedContinuation { waiter in
            DispatchQueue.global().async {
                semaphore.wait()
                waiter.resume()
            }
        }
    }
}
