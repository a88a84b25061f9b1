import Base
import CLibevent
import EventLoop
import Synchronization
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

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

    @Test func `a timer without memory still fires, and again when it is armed again`() async throws {
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
        #expect(waits.allSatisfy { $0 < .seconds(5) })
    }

    @Test func `a timer without memory can be cancelled, moved and released`() async throws {
        let fired = try await onLoop { loop in
            let fired = Lock<[String]>([])
            @Sendable func make(_ name: String) -> Timer {
                NoMemory.during { Timer(loop: loop) { fired.withLock { $0.append(name) } } }
            }
            let (cancelled, moved) = (make("cancelled"), make("moved"))
            var released: Timer? = make("released")
            for timer in [cancelled, moved, released].compactMap(\.self) { timer.arm(after: .milliseconds(20)) }
            cancelled.cancel()
            moved.arm(after: .milliseconds(60))
            released = nil
            try? await loop.sleep(for: .milliseconds(40))
            let early = fired.withLock { $0 }
            while fired.withLock({ $0.isEmpty }) { try? await loop.sleep(for: .milliseconds(10)) }
            try? await loop.sleep(for: .milliseconds(40))
            return (early, fired.withLock { $0 })
        }
        #expect(fired.0 == [] && fired.1 == ["moved"])
    }

    @Test func `a socket that there is no memory to watch reports it`() async throws {
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

    @Test func `a loop that there is no memory for is not created`() async throws {
        #expect(throws: SystemCallError.self) { try NoMemory.during { Result { try EventLoop(name: "none") } }.get() }
    }
}
