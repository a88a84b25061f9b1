import Base
import EventLoop
import Glibc
import Testing

/// Runs `body` on a loop of its own, which is stopped afterwards.
private func withLoop(_ body: @escaping @Sendable (EventLoop) async throws -> Void) async throws {
    let loop = try EventLoop(name: "test")
    let result = await loop.spawn { () async -> (any Error)? in
        do { try await body(loop) } catch { return error }
        return nil
    }.value
    loop.stop()
    if let result { throw result }
}

struct EventLoopTests {
    @Test func `a spawned task stays on the loop through actors, child tasks and suspensions`() async throws {
        actor Counter {
            var count = 0
            func increment(on loop: EventLoop) -> Bool {
                count += 1
                return loop.isCurrent
            }
        }
        try await withLoop { loop in
            #expect(loop.isCurrent)
            let counter = Counter()
            #expect(await counter.increment(on: loop))
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<10 { group.addTask { await counter.increment(on: loop) } }
                for await isOnLoop in group { #expect(isOnLoop) }
            }
            try await loop.sleep(for: .zero)
            await Task.yield()
            #expect(loop.isCurrent)
            #expect(await counter.count == 11)
        }
    }

    @Test func `jobs from several threads all run, those of each thread in order`() async throws {
        let loop = try EventLoop(name: "inbox")
        let seen = Lock<[Int: [Int]]>([:])
        await withTaskGroup(of: Void.self) { group in
            for sender in 0..<4 {
                group.addTask {
                    for number in 0..<1000 {
                        loop.execute { seen.withLock { $0[sender, default: []].append(number) } }
                    }
                    await loop.run {}
                }
            }
        }
        for sender in 0..<4 { #expect(seen.withLock { $0[sender] } == Array(0..<1000)) }
        loop.stop()
    }

    @Test func `jobs that enqueue jobs forever do not starve timers`() async throws {
        try await withLoop { loop in
            let isOver = Lock(false)
            @Sendable func again() { if !isOver.withLock({ $0 }) { loop.execute { again() } } }
            again()
            try await loop.sleep(for: .zero)
            isOver.withLock { $0 = true }
        }
    }

    @Test func `a cancelled sleep ends at once`() async throws {
        let loop = try EventLoop(name: "sleep")
        let sleeper = loop.spawn { () async -> Bool in
            do { try await loop.sleep(for: .seconds(3600)) } catch { return true }
            return false
        }
        sleeper.cancel()
        #expect(await sleeper.value)
        loop.stop()
    }

    @Test func `timers fire in the order of their times, and cancelled ones do not fire`() async throws {
        try await withLoop { loop in
            let (fired, firing) = AsyncStream.makeStream(of: String.self)
            let names = ["late", "early", "queued", "cancelled"]
            let timers = names.map { name in Timer(loop: loop) { firing.yield(name) } }
            // The loop reads the clock once in a turn: all of them are armed at the same time.
            let queue = loop.commonTimeout(.milliseconds(1))
            timers[0].arm(after: .milliseconds(2))
            timers[1].arm(after: .milliseconds(1))
            timers[2].arm(after: queue)
            timers[3].arm(after: queue)
            timers[3].cancel()
            keepAlive.withLock { $0 = LoopBound(timers, to: loop) }
            let first = await fired.prefix(3).reduce(into: []) { $0.append($1) }
            // A timer in a queue may fire late on a loop that was held up.
            #expect(first.filter { $0 != "queued" } == ["early", "late"])
            #expect(first.contains("queued"))
            keepAlive.withLock { $0 = nil }
        }
    }

    @Test func `an edge-triggered socket reports bytes once and the peer's close once`() async throws {
        try await withLoop { loop in
            var ends: [Int32] = [0, 0]
            let type = Int32(SOCK_STREAM.rawValue)
            #expect(socketpair(AF_UNIX, type, 0, &ends) == 0)
            let (stream, reports) = AsyncStream.makeStream(of: SocketEvents.self)
            let watch = SocketWatch(loop: loop, descriptor: ends[0], events: [.read, .edgeTriggered]) {
                reports.yield($0)
            }
            let bound = LoopBound(watch, to: loop)
            var iterator = stream.makeAsyncIterator()
            #expect(write(ends[1], "x", 1) == 1)
            #expect(await iterator.next()?.contains(.read) == true)
            close(ends[1])
            #expect(await iterator.next()?.contains(.read) == true)
            bound.value.pause()
            close(ends[0])
        }
    }

    @Test func `a signal arrives on the loop`() async throws {
        try await withLoop { loop in
            let (stream, arrivals) = AsyncStream.makeStream(of: Bool.self)
            let watch = LoopBound(SignalWatch(loop: loop, signal: SIGUSR1) { arrivals.yield(true) }, to: loop)
            kill(getpid(), SIGUSR1)
            var iterator = stream.makeAsyncIterator()
            #expect(await iterator.next() == true)
            _ = watch.value
        }
    }
}

private let keepAlive = Lock<LoopBound<[Timer]>?>(nil)
