/// PNG files made by hand: valid ones, and ones that no library would write.
struct PNGFile {
    var width: Int
    var height: Int
    var bitDepth: UInt8 = 8
    var colorType: UInt8 = 2
    var isInterlaced = false
    var chunksBefore: [(String, [UInt8])] = []
    /// The rows, each after its filter byte; nil for as many zero bytes as belong there, deflated to almost nothing.
    var rows: [UInt8]?
    /// How many zero bytes replace the rows.
    var zeros: Int?
    var chunksAfter: [(String, [UInt8])] = []

    var file: [UInt8] {
        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        let head = big(width) + big(height) + [bitDepth, colorType, 0, 0, isInterlaced ? 1 : 0]
        file += Self.chunk("IHDR", head)
        for (name, content) in chunksBefore { file += Self.chunk(name, content) }
        let data = rows.map(Deflate.stored) ?? Deflate.zeros(zeros ?? rowBytes * height)
        file += Self.chunk("IDAT", data)
        for (name, content) in chunksAfter { file += Self.chunk(name, content) }
        return file + Self.chunk("IEND", [])
    }

    private var rowBytes: Int {
        let channels = [0: 1, 2: 3, 3: 1, 4: 2, 6: 4][Int(colorType)] ?? 1
        return 1 + (width * channels * Int(bitDepth) + 7) / 8
    }

    static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
        let named = Array(name.utf8) + content
        return big(content.count) + named + big(Int(crc(named)))
    }

    /// CRC-32 as PNG uses it.
    static func crc(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes { crc = table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ (crc >> 8) }
        return ~crc
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1 }
    }
}

func big(_ number: Int, _ width: Int = 4) -> [UInt8] {
    (0..<width).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}

func little(_ number: Int, _ width: Int = 4) -> [UInt8] { big(number, width).reversed() }

/// Zlib streams (RFC 1950, RFC 1951).
enum Deflate {
    /// Stores `bytes` uncompressed.
    static func stored(_ bytes: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x78, 0x01]
        var position = 0
        repeat {
            let count = min(65_535, bytes.count - position)
            let isLast = position + count == bytes.count
            stream += [isLast ? 1 : 0] + little(count, 2) + little(~count, 2)
            stream += bytes[position..<position + count]
            position += count
        } while position < bytes.count
        return stream + big(Int(adler(bytes)))
    }

    /// A stream that inflates to `count` zero bytes, and is some hundred times shorter.
    static func zeros(_ count: Int) -> [UInt8] {
        var bits = BitWriter(bytes: [0x78, 0x01])
        bits.put(0b011, 3)  // The last block, fixed codes.
        let runs = max(0, (count - 1) / 258)
        for _ in 0..<(count - 258 * runs) { bits.putCode(0b0011_0000, 8) }
        for _ in 0..<runs {
            bits.putCode(0b1100_0101, 8)  // 258 bytes,
            bits.putCode(0, 5)  // as the one before.
        }
        bits.putCode(0, 7)
        return bits.finished + big((count % 65_521) << 16 | 1)
    }

    private static func adler(_ bytes: [UInt8]) -> UInt32 {
        var (low, high): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            low = (low + UInt32(byte)) % 65_521
            high = (high + low) % 65_521
        }
        return high << 16 | low
    }
}

private struct BitWriter {
    var bytes: [UInt8]
    private var held: UInt64 = 0
    private var count = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func put(_ bits: UInt64, _ width: Int) {
        held |= bits << UInt64(count)
        count += width
        while count >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: held))
            held >>= 8
            count -= 8
        }
    }

    /// Codes are written with their highest bit first.
    mutating func putCode(_ code: UInt64, _ width: Int) {
        put((0..<width).reduce(0) { $0 | (code >> UInt64(width - 1 - $1) & 1) << UInt64($1) }, width)
    }

    var finished: [UInt8] {
        var writer = self
        if writer.count > 0 { writer.put(0, 8 - writer.count) }
        return writer.bytes
    }
}
