internal import Base
internal import Crypto

/// The SHA-256 of a bearer key, which is all that is kept of it.
struct Digest: Sendable {
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// The digest of `bytes`.
    init(of bytes: Span<UInt8>) {
        var hash = SHA256()
        unsafe bytes.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
        // A SHA-256 has 32 bytes, and the words may be at any address.
        words = unsafe hash.finalize().withUnsafeBytes { unsafe Self.words($0) }
    }

    /// The digest of a whole secret.
    init(of secret: Secret) { self.init(of: Array(secret.reveal().utf8).span) }

    /// A digest as the store keeps it; nil unless it has 32 bytes.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == SHA256.byteCount else { return nil }
        words = unsafe bytes.withUnsafeBytes { unsafe Self.words($0) }
    }

    /// The 32 bytes.
    var bytes: [UInt8] {
        [words.0, words.1, words.2, words.3].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
        }
    }

    /// The 64 hexadecimal digits.
    var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    @unsafe private static func words(_ bytes: UnsafeRawBufferPointer) -> (UInt64, UInt64, UInt64, UInt64) {
        func word(_ index: Int) -> UInt64 {
            UInt64(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
        }
        return (word(0), word(1), word(2), word(3))
    }
}

extension Digest: Hashable {
    /// Always compares all four words, even if the first ones differ.
    static func == (one: Digest, other: Digest) -> Bool {
        (one.words.0 ^ other.words.0) | (one.words.1 ^ other.words.1) | (one.words.2 ^ other.words.2)
            | (one.words.3 ^ other.words.3) == 0
    }

    /// One word is as evenly distributed as four.
    func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}
