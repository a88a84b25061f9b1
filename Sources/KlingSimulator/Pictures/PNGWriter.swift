/// Writes PNG pictures (ISO/IEC 15948) of few colors. Rows are runs, encoded as differences from the row above.
struct PNGWriter: Sendable {
    /// A color, 8 bits per channel.
    struct Color: Sendable, Hashable {
        var red, green, blue: UInt8

        init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) { (self.red, self.green, self.blue) = (red, green, blue) }
    }

    /// Adjacent pixels of one color, up to but not including `end`.
    struct Run: Sendable, Hashable {
        let end: Int
        let color: Color
    }

    private let width, height: Int
    private var above: [Run]
    private var data = ZlibWriter()

    init(width: Int, height: Int) {
        (self.width, self.height) = (width, height)
        above = [Run(end: width, color: Color(0, 0, 0))]
    }

    /// Adds the next row: runs that together are as wide as the picture.
    mutating func append(_ row: [Run]) {
        precondition(row.last?.end == width, "a row is as wide as its picture")
        // Filter 2: each byte minus the one above it.
        data.append(2, count: 1)
        var (position, new, old) = (0, 0, 0)
        while position < width {
            let end = min(row[new].end, above[old].end)
            append(row[new].color, less: above[old].color, count: end - position)
            if row[new].end == end { new += 1 }
            if above[old].end == end { old += 1 }
            position = end
        }
        above = row
    }

    /// Completes the file, after the last row.
    mutating func finish() -> [UInt8] {
        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        // 8 bits per channel, RGB, the only compression and filter methods, no interlace.
        Self.append("IHDR", UInt32(width).bytes + UInt32(height).bytes + [8, 2, 0, 0, 0], to: &file)
        Self.append("IDAT", data.finish(), to: &file)
        Self.append("IEND", [], to: &file)
        return file
    }

    private mutating func append(_ color: Color, less other: Color, count: Int) {
        let difference = [color.red &- other.red, color.green &- other.green, color.blue &- other.blue]
        if difference == [0, 0, 0] {
            data.append(0, count: 3 * count)
        } else {
            for _ in 0..<count { difference.forEach { data.append($0, count: 1) } }
        }
    }

    private static func append(_ type: StaticString, _ content: [UInt8], to file: inout [UInt8]) {
        let body = Array(type.description.utf8) + content
        file += UInt32(content.count).bytes + body + CRC32.of(body).bytes
    }
}

/// A zlib stream (RFC 1950) around ``RunDeflate``.
private struct ZlibWriter: Sendable {
    private var deflate = RunDeflate()
    private var low: UInt64 = 1
    private var high: UInt64 = 0

    private static let modulus: UInt64 = 65_521

    /// Appends the same byte `count` times. The Adler-32 sums of a run have closed forms.
    mutating func append(_ byte: UInt8, count: Int) {
        deflate.append(byte, count: count)
        let (value, count) = (UInt64(byte), UInt64(count))
        high = (high + count * low + value * (count * (count + 1) / 2)) % Self.modulus
        low = (low + count * value) % Self.modulus
    }

    mutating func finish() -> [UInt8] {
        // Deflate, 32 KiB window; the second byte makes the two bytes a multiple of 31.
        [0x78, 0x01] + deflate.finish() + UInt32(high << 16 | low).bytes
    }
}

/// The checksum of PNG chunks (ISO/IEC 15948 annex D).
enum CRC32 {
    static func of(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
    }
}

extension UInt32 {
    /// The bytes in network order.
    fileprivate var bytes: [UInt8] {
        stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self >> UInt32($0)) }
    }
}
