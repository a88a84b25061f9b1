import Base
import Glibc
import Testing

/// How the memory of released blocks is kept and used again.
struct SpareMappingsTests {
    private let size = 1 << 20

    /// Makes a block of `count` bytes and fills it.
    private func filled(_ count: Int, from spares: SpareMappings, with byte: UInt8 = 1) throws -> Bytes {
        let block = try #require(Bytes(reserving: count, from: spares))
        #expect(block.count == 0)
        block.append { space in
            _ = space.initializeMemory(as: UInt8.self, repeating: byte)
            return space.count
        }
        #expect(block.count == count)
        return block
    }

    private func address(_ block: Bytes) -> UnsafeRawPointer? { block.withUnsafeBytes { $0.baseAddress } }

    @Test func `a block gets the memory of a released one, and shows none of its bytes`() throws {
        let spares = SpareMappings(limit: 4 * size)
        let first = try address(filled(size, from: spares))
        #expect(spares.bytes == size)
        let second = try #require(Bytes(reserving: size, from: spares))
        #expect(address(second) == first && spares.bytes == 0)
        #expect(second.count == 0 && second.withSpan { $0.byteCount } == 0)
        #expect(second.firstIndex(of: 1, in: 0..<0) == nil)
    }

    @Test func `blocks in use do not share memory`() throws {
        let spares = SpareMappings(limit: 4 * size)
        _ = try filled(size, from: spares)
        let (a, b) = (try filled(size, from: spares, with: 2), try filled(size, from: spares, with: 3))
        #expect(a.withSpan { $0.unsafeLoad(as: UInt8.self) } == 2 && b.withSpan { $0.unsafeLoad(as: UInt8.self) } == 3)
    }

    @Test func `a smaller block returns the pages that it does not need`() throws {
        let spares = SpareMappings(limit: 4 * size)
        _ = try filled(size, from: spares)
        let half = size / 2 + 100
        let block = try #require(Bytes(reserving: half, from: spares))
        let start = try #require(address(block))
        var pages = [UInt8](repeating: 0, count: size >> 12)
        #expect(mincore(UnsafeMutableRawPointer(mutating: start), size, &pages) == 0)
        #expect(pages.count { $0 & 1 == 1 } == half >> 12 + 1)
    }

    @Test func `memory of a far larger block is not taken`() throws {
        let spares = SpareMappings(limit: 4 * size)
        _ = try filled(size, from: spares)
        _ = try #require(Bytes(reserving: size / 3, from: spares))
        #expect(spares.bytes == size + size / 3)
    }

    @Test func `no more than the limit is kept, and what was kept longest goes first`() throws {
        let spares = SpareMappings(limit: 2 * size)
        var blocks = try (0..<3).map { try filled(size + $0, from: spares) }
        while !blocks.isEmpty { blocks.removeFirst() }
        #expect(spares.bytes == size + 2)
        _ = try filled(3 * size, from: spares)
        #expect(spares.bytes == 0)
    }

    @Test func `what was kept before a time is returned to the system`() throws {
        let spares = SpareMappings(limit: 4 * size)
        #expect(!spares.drop(keptBefore: .now))
        var block: Bytes? = try filled(size, from: spares)
        #expect(spares.drop(keptBefore: .now), "a block is still in use")
        let before = MonotonicTime.now
        withExtendedLifetime(block) {}
        block = nil
        #expect(spares.drop(keptBefore: before) && spares.bytes == size)
        #expect(!spares.drop(keptBefore: .now + .seconds(1)) && spares.bytes == 0)
    }

    @Test func `small blocks keep nothing`() throws {
        let spares = SpareMappings(limit: 4 * size)
        _ = try filled(Bytes.mappingThreshold - 1, from: spares)
        #expect(spares.bytes == 0 && !spares.drop(keptBefore: .now))
    }
}
