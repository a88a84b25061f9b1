public import Base
internal import CXXHash

/// A 128-bit XXH3 digest that identifies content. It is the same on every machine and in every version from 0.8 on.
///
/// It detects accidental changes and tells different contents apart. It gives no protection against anyone who chooses
/// the content.
public struct ContentDigest: Hashable, Sendable, CustomStringConvertible {
    /// The size of ``bytes``.
    public static let byteCount = 16

    /// The upper and the lower half of the 128-bit value.
    public let high, low: UInt64

    /// Restores a digest from its halves.
    public init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

    /// The digest of `bytes`.
    public init(of bytes: UnsafeRawBufferPointer) {
        // The library reads the bytes during the call and keeps no pointer to them; if `count` is 0, it reads nothing.
        self.init(unsafe XXH3_128bits(bytes.baseAddress, bytes.count))
    }

    /// The digest of the slice's bytes.
    public init(of slice: ByteSlice) {
        self = unsafe slice.withUnsafeBytes { unsafe ContentDigest(of: $0) }
    }

    /// The digest of the text's UTF-8.
    public init(of text: String) {
        var text = text
        self = text.withUTF8 { unsafe ContentDigest(of: UnsafeRawBufferPointer($0)) }
    }

    /// The digest of the slices' bytes, in order.
    public init(of slices: [ByteSlice]) {
        if slices.count == 1 {
            self.init(of: slices[0])
            return
        }
        var hash = ContentHash()
        for slice in slices { hash.update(slice) }
        self = hash.finish()
    }

    /// This digest combined with another one; unchanged if `other` is nil.
    public func mixed(with other: ContentDigest?) -> ContentDigest {
        guard let other else { return self }
        return ContentDigest(high: high ^ other.high, low: low ^ other.low)
    }

    /// Restores a digest from its ``bytes``.
    /// - Returns: nil if `bytes` does not have ``byteCount`` bytes.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        let number = bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        self.init(high: UInt64(number >> 64), low: UInt64(truncatingIfNeeded: number))
    }

    init(_ hash: XXH128_hash_t) { self.init(high: hash.high64, low: hash.low64) }

    /// The digest in its canonical form: big-endian, the upper half first.
    public var bytes: [UInt8] {
        [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) } }
    }

    /// 32 hexadecimal digits, as `xxhsum -H2` prints them.
    public var description: String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
