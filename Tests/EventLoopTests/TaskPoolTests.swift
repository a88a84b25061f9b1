import Base
import EventLoop
import Testing

/// Runs `body` in a task of a loop, which is stopped afterwards.
private func onLoop(_ body: @escaping @Sendable (EventLoop) async -> Void) async throws {
    let loop = try EventLoop(name: "pool")
    await loop.spawn { await body(loop) }.value
    loop.stop()
}

extension EventLoop {
    /// Starts work, and has it run up to its first suspension.
    fileprivate func begin(_ work: @escaping @Sendable () async -> Void) async -> PooledTask {
        let started = start(work)
        try? await sleep(for: .zero)
        return started
    }

    /// Waits until `work` has run to its end in a task of the pool.
    fileprivate func finish(_ work: @escaping @Sendable () async -> Void) async {
        await withCheckedContinuation { continuation in
            start {
                await work()
                continuation.resume()
            }
        }
    }
}

struct TaskPoolTests {
    private static let forever = Duration.seconds(3600)

    @TaskLocal private static var value = "none"

    @Test func `a pool's work runs on the loop, concurrently and one after the other`() async throws {
        try await onLoop { loop in
            let log = Lock<[String]>([])
            for round in 0..<3 {
                await withTaskGroup(of: Void.self) { group in
                    for number in 0..<100 {
                        group.addTask {
                            await loop.finish {
                                try? await loop.sleep(for: .zero)
                                log.withLock { $0.append("\(round) \(number) \(loop.isCurrent)") }
                            }
                        }
                    }
                }
            }
            let expected = (0..<3).flatMap { round in (0..<100).map { "\(round) \($0) true" } }
            #expect(log.withLock { $0.sorted() } == expected.sorted())
        }
    }

    @Test func `a cancellation reaches the work that it is meant for, and no later one`() async throws {
        try await onLoop { loop in
            let ended = await loop.begin {}
            ended.cancel()
            let (ends, end) = AsyncStream.makeStream(of: Bool.self)
            let waiting = await loop.begin {
                try? await loop.sleep(for: Self.forever)
                end.yield(Task.isCancelled)
            }
            ended.cancel()
            await loop.finish { #expect(!Task.isCancelled) }
            waiting.cancel()
            #expect(await ends.first { _ in true } == true)
            await loop.finish { #expect(!Task.isCancelled) }
        }
    }

    @Test func `a shield puts off a cancellation`() async throws {
        try await onLoop { loop in
            let (steps, step) = AsyncStream.makeStream(of: Void.self)
            let (ends, end) = AsyncStream.makeStream(of: [Bool].self)
            let handle = Lock<PooledTask?>(nil)
            let work = await loop.begin {
                for await _ in steps { break }
                let before = Task.isCancelled
                handle.withLock { $0 }?.endShield()
                end.yield([before, Task.isCancelled])
            }
            handle.withLock { $0 = work }
            work.beginShield()
            work.cancel()
            step.yield()
            #expect(await ends.first { _ in true } == [false, true])
        }
    }

    @Test func `work does not inherit the task-local values of what started it`() async throws {
        try await onLoop { loop in
            await Self.$value.withValue("caller's") {
                await loop.finish { #expect(Self.value == "none") }
            }
            await loop.finish { Self.$value.withValue("its own") { #expect(Self.value == "its own") } }
            await loop.finish { #expect(Self.value == "none") }
        }
    }

    @Test func `a label is the work's alone, and that of the tasks that it spawns`() async throws {
        try await onLoop { loop in
            WorkLabel.set("of no pool")
            #expect(WorkLabel.current == nil)
            let (goes, go) = AsyncStream.makeStream(of: Void.self)
            let spawned = Lock<Task<String?, Never>?>(nil)
            await loop.finish {
                #expect(WorkLabel.current == nil)
                WorkLabel.set("first")
                let task = loop.spawn {
                    for await _ in goes { break }
                    return WorkLabel.current as? String
                }
                spawned.withLock { $0 = task }
                try? await loop.sleep(for: .zero)
                #expect(WorkLabel.current as? String == "first")
            }
            await loop.finish {
                #expect(WorkLabel.current == nil)
                WorkLabel.set("second")
            }
            go.yield()
            #expect(await spawned.withLock { $0 }?.value == "first")
        }
    }

    @Test func `what work has captured is released when it ends`() async throws {
        final class Captured: Sendable {}
        try await onLoop { loop in
            var captured: Captured? = Captured()
            let isAlive = { [weak captured] in captured != nil }
            await loop.finish { [captured] in withExtendedLifetime(captured) {} }
            captured = nil
            try? await loop.sleep(for: .zero)
            #expect(!isAlive())
        }
    }
}
