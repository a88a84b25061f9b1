import Base
import EventLoop
import Testing

@testable import HTTPServer

/// How long the memory of bodies is kept.
struct BodyBlocksTests {
    @Test func `memory is kept while bodies follow, and is returned when none do`() async throws {
        let loop = try EventLoop(name: "blocks")
        defer { loop.stop() }
        let spares = SpareMappings(limit: 1 << 20)
        await loop.spawn {
            let patience = Duration.milliseconds(100)
            let blocks = BodyBlocks(
                loop: loop, budget: ByteBudget(capacity: 0), spares: spares, patience: patience)
            let start = MonotonicTime.now
            for _ in 0..<3 {
                _ = blocks.make(100_000) {}
                #expect(spares.bytes == 100_000)
            }
            while spares.bytes > 0 { try? await loop.sleep(for: .zero) }
            #expect(.now - start > patience * 0.9)
            blocks.stop()
        }.value
    }

    @Test func `a server that drains keeps no memory`() async throws {
        let loop = try EventLoop(name: "blocks")
        defer { loop.stop() }
        let spares = SpareMappings(limit: 1 << 20)
        await loop.run {
            let blocks = BodyBlocks(loop: loop, budget: ByteBudget(capacity: 0), spares: spares)
            _ = blocks.make(100_000) {}
            blocks.stop()
            #expect(spares.bytes == 0)
            _ = blocks.make(100_000) {}
            #expect(spares.bytes == 0)
        }
    }
}
