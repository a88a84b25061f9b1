internal import Glibc

extension Span<UInt8> {
    /// The first index of `byte`; nil if there is none.
    package func firstIndex(of byte: UInt8) -> Int? {
        unsafe withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress, !bytes.isEmpty else { return nil }
            // `memchr` only reads within the span, and returns a pointer into it.
            let found = unsafe memchr(start, Int32(byte), bytes.count)
            return unsafe found.map { unsafe UnsafeRawPointer($0) - UnsafeRawPointer(start) }
        }
    }

    /// The first index in `range` of a byte that `marks` marks; the end of the range if there is none. Eight bytes are
    /// examined at once.
    @inlinable
    @inline(__always)
    public func firstIndex(in range: Range<Int>, marked marks: (ByteWord) -> UInt64) -> Int {
        var index = range.lowerBound
        while index + 8 <= range.upperBound {
            let found = marks(ByteWord(self, at: index))
            if found != 0 { return index + found.trailingZeroBitCount >> 3 }
            index += 8
        }
        if index == range.upperBound { return index }
        // The bytes that are missing may be marked, too.
        let found = marks(ByteWord(self, in: index..<range.upperBound))
        return Swift.min(index + found.trailingZeroBitCount >> 3, range.upperBound)
    }

    /// Whether these bytes are the UTF-8 of `text`.
    @inlinable
    public func equals(_ text: StaticString) -> Bool {
        // A `StaticString`'s bytes are in the binary, and there are `count` of them.
        unsafe count == text.utf8CodeUnitCount && equals(UnsafeRawPointer(text.utf8Start))
    }

    /// Whether these bytes equal as many at `other`.
    @usableFromInline
    @unsafe func equals(_ other: UnsafeRawPointer) -> Bool {
        unsafe withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return true }
            return unsafe memcmp(start, other, bytes.count) == 0
        }
    }

    /// Whether `text` occurs in these bytes.
    package func contains(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard length > 0 else { return true }
        // A `StaticString`'s bytes are in the binary, and there is at least one.
        let (first, last) = unsafe (text.utf8Start[0], text.utf8Start[length - 1])
        var start = 0
        while true {
            start = firstIndex(in: start..<count) { $0.equal(to: first) }
            guard start + length <= count else { return false }
            if self[start + length - 1] == last, extracting(start..<start + length).equals(text) { return true }
            start += 1
        }
    }
}

/// Eight bytes that are examined at once.
///
/// What it finds is a word with the high bit of each byte found. It is exact up to the lowest one, as are several of
/// them combined with `|`, so that only the first byte found counts.
public struct ByteWord {
    /// The first byte is the lowest.
    public let bits: UInt64

    @inlinable public static var ones: UInt64 { 0x0101_0101_0101_0101 }
    @inlinable public static var highs: UInt64 { 0x8080_8080_8080_8080 }

    @inlinable
    public init(_ bits: UInt64) { self.bits = bits }

    /// The bytes from `index` on.
    @inlinable
    public init(_ bytes: Span<UInt8>, at index: Int) {
        // Any eight bytes are an integer, and the span checks that it has them.
        bits = unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
    }

    /// The bytes in `range`, fewer than eight, with zeros after them.
    @inlinable
    public init(_ bytes: Span<UInt8>, in range: Range<Int>) {
        guard range.upperBound >= 8 else {
            self = Self.atStart(bytes, range)
            return
        }
        bits = ByteWord(bytes, at: range.upperBound - 8).bits >> UInt64(8 * (8 - range.count))
    }

    /// The same where no eight bytes end with those in `range`.
    @usableFromInline
    static func atStart(_ bytes: Span<UInt8>, _ range: Range<Int>) -> ByteWord {
        ByteWord(range.reversed().reduce(0) { $0 << 8 | UInt64(bytes[$1]) })
    }

    /// The bytes that equal `byte`.
    @inlinable
    public func equal(to byte: UInt8) -> UInt64 {
        let difference = bits ^ Self.ones &* UInt64(byte)
        return (difference &- Self.ones) & ~difference & Self.highs
    }

    /// The bytes below `limit`, which is at most 128.
    @inlinable
    public func below(_ limit: UInt8) -> UInt64 { (bits &- Self.ones &* UInt64(limit)) & ~bits & Self.highs }

    /// The bytes from 128 on.
    @inlinable public var nonASCII: UInt64 { bits & Self.highs }
}
