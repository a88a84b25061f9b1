import Base
import CLibevent
import EventLoop
import Glibc
import Synchronization
import Testing

/// A system without memory for libevent, on one thread.
private enum NoMemory {
    /// The thread that gets no memory; 0 if all get it.
    static let thread = Atomic<UInt>(0)

    static var isHere: Bool { thread.load(ordering: .relaxed) == UInt(bitPattern: pthread_self().hashValue) }

    private static let isInstalled: Bool = {
        event_set_mem_functions(
            { NoMemory.isHere ? nil : malloc($0) }, { NoMemory.isHere ? nil : realloc($0, $1) }, { free($0) })
        return true
    }()

    static func during<Result>(_ body: () -> Result) -> Result {
        _ = isInstalled
        thread.store(UInt(bitPattern: pthread_self().hashValue), ordering: .relaxed)
        defer { thread.store(0, ordering: .relaxed) }
        return body()
    }
}

/// What happens when libevent gets no memory. Serialized, because one thread is without memory at a time.
@Suite(.serialized) struct NoMemoryTests {
    private func onLoop<Value: Sendable>(_ body: @escaping @Sendable (EventLoop) async -> Value) async throws -> Value {
        let loop = try EventLoop(name: "poor")
        defer { loop.stop() }
        return await loop.spawn { await body(loop) }.value
    }

    @Test func `a timer that there is no memory for still fires, and fires again when rearmed`() async throws {
        let waits = try await onLoop { loop in
            var waits: [Duration] = []
            for delay in [Duration.milliseconds(30), .zero, .milliseconds(60)] {
                let start = MonotonicTime.now
                let fired = Lock<CheckedContinuation<Void, Never>?>(nil)
                let timer = NoMemory.during { Timer(loop: loop) { fired.withLock { $0.take() }?.resume() } }
                await withCheckedContinuation { waiter in
                    fired.withLock { $0 = waiter }
                    timer.arm(after: delay)
                }
                waits.append(MonotonicTime.now - start)
                timer.cancel()
            }
            return waits
        }
        #expect(waits[0] >= .milliseconds(30) && waits[2] >= .milliseconds(60))
    }

    @Test func `a timer that there is no memory for can be cancelled, moved and released`() async throws {
        let fired = try await onLoop { loop in
            let (names, firing) = AsyncStream.makeStream(of: String.self)
            func make(_ name: String) -> Timer { NoMemory.during { Timer(loop: loop) { firing.yield(name) } } }
            let (cancelled, moved, first, last) = (make("cancelled"), make("moved"), make("first"), make("last"))
            var released: Timer? = make("released")
            for timer in [cancelled, moved, released].compactMap(\.self) { timer.arm(after: .zero) }
            cancelled.cancel()
            released = nil
            // Timers fire in the order of their times, whenever the loop gets to it.
            for (index, timer) in [first, moved, last].enumerated() { timer.arm(after: .milliseconds(1 + index)) }
            let fired = await names.prefix { $0 != "last" }.reduce(into: []) { $0.append($1) }
            for timer in [cancelled, moved, first, last] { timer.cancel() }
            return fired
        }
        #expect(fired == ["first", "moved"])
    }

    @Test func `a socket that cannot be watched for lack of memory reports it`() async throws {
        let states = try await onLoop { loop in
            var ends: [Int32] = [0, 0]
            socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
            defer { ends.forEach { close($0) } }
            let poor = NoMemory.during { SocketWatch(loop: loop, descriptor: ends[0], events: .read) { _ in } }
            let before = poor.isWatching
            poor.pause()
            poor.resume()
            let rich = SocketWatch(loop: loop, descriptor: ends[0], events: .read) { _ in }
            return [before, poor.isWatching, rich.isWatching]
        }
        #expect(states == [false, false, true])
    }

    @Test func `a loop is not created if there is not enough memory`() async throws {
        #expect(throws: SystemCallError.self) { try NoMemory.during { Result { try EventLoop(name: "none") } }.get() }
    }
}
