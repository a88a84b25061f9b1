import Base
import Hashing
import Testing

/// The known digests are those of `xxhsum -H2` 0.8.1.
@Suite struct ContentHashTests {
    @Test(arguments: [
        ("", "99aa06d3014798d86001c324468d497f"),
        ("a", "a96faf705af16834e6c632b61e964e1f"),
        ("The quick brown fox jumps over the lazy dog", "ddd650205ca3e7fa24a1cc2e3a8a7651"),
    ])
    func `a text has the digest that xxhsum prints`(text: String, digest: String) {
        #expect(ContentDigest(of: [ByteSlice(copying: text)]).description == digest)
    }

    @Test func `content has the same digest whole and in pieces`() {
        let content = Bytes((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
        let whole = ContentDigest(of: [ByteSlice(content, 0..<content.count)])
        #expect(whole.description == "1ceab015e15e2ba199dbd27fc89c5372")
        for step in [1, 7, 240, 241, 1024, 65_536, 99_999] {
            let pieces = stride(from: 0, to: content.count, by: step).map {
                ByteSlice(content, $0..<min($0 + step, content.count))
            }
            #expect(ContentDigest(of: pieces) == whole, "in pieces of \(step)")
        }
        #expect(ContentDigest(of: [ByteSlice(content, 0..<0), ByteSlice(content, 0..<content.count)]) == whole)
    }

    @Test func `a digest covers what came before it, and the hash continues`() {
        var hash = ContentHash()
        hash.update(ByteSlice(copying: "one"))
        let first = hash.finish()
        hash.update(ByteSlice(copying: " two"))
        #expect(first == ContentDigest(of: [ByteSlice(copying: "one")]))
        #expect(hash.finish() == ContentDigest(of: [ByteSlice(copying: "one two")]))
    }

    @Test func `no content has the digest of an empty text`() {
        #expect(ContentDigest(of: []) == ContentDigest(of: [ByteSlice(copying: "")]))
    }

    @Test func `every bit of the content counts`() {
        var content = [UInt8](repeating: 0x41, count: 1000)
        var digests: Set<ContentDigest> = []
        for bit in 0..<8 {
            content[500] ^= 1 << bit
            digests.insert(ContentDigest(of: [ByteSlice(Bytes(content), 0..<1000)]))
            content[500] ^= 1 << bit
        }
        digests.insert(ContentDigest(of: [ByteSlice(Bytes(content), 0..<1000)]))
        #expect(digests.count == 9)
    }

    @Test func `a digest is written as 16 bytes and read back`() {
        let digest = ContentDigest(high: 0x0102_0304_0506_0708, low: 0xfffe_fdfc_fbfa_f9f8)
        #expect(digest.bytes == [1, 2, 3, 4, 5, 6, 7, 8, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9, 0xf8])
        #expect(ContentDigest(bytes: digest.bytes) == digest)
        #expect(ContentDigest(bytes: digest.bytes.dropLast()) == nil)
        #expect(digest.description == "0102030405060708fffefdfcfbfaf9f8")
    }
}
