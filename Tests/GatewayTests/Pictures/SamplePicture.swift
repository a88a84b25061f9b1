import Base
import KlingAPI

/// Sample pictures, built byte by byte.
enum SamplePicture {
    /// A gray PNG, stored without compression.
    static func png(width: Int, height: Int) -> [UInt8] {
        let row = [UInt8](repeating: 0, count: 1) + [UInt8](repeating: 0x80, count: width)
        let rows = (0..<height).flatMap { _ in row }
        var data: [UInt8] = [0x78, 0x01]
        for start in stride(from: 0, to: rows.count, by: 65_535) {
            let part = rows[start..<min(start + 65_535, rows.count)]
            data += [part.endIndex == rows.count ? 1 : 0]
            data += [
                UInt8(part.count & 0xFF), UInt8(part.count >> 8), ~UInt8(part.count & 0xFF), ~UInt8(part.count >> 8),
            ]
            data += part
        }
        let (low, high) = rows.reduce((UInt32(1), UInt32(0))) { sums, byte in
            let low = (sums.0 + UInt32(byte)) % 65_521
            return (low, (sums.1 + low) % 65_521)
        }
        data += big(high << 16 | low)
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
            + chunk("IHDR", big(UInt32(width)) + big(UInt32(height)) + [8, 0, 0, 0, 0]) + chunk("IDAT", data)
            + chunk("IEND", [])
    }

    static func dataURL(width: Int, height: Int) -> ByteSlice {
        ByteSlice(copying: "data:image/png;base64," + Base64.encode(png(width: width, height: height)))
    }

    static func file(_ bytes: [UInt8]) -> ByteSlice { ByteSlice(Bytes(bytes), 0..<bytes.count) }

    /// A lossless WebP of 320 x 320 pixels of one color.
    static let webP =
        Base64.decode(Array("UklGRioAAABXRUJQVlA4TB4AAAAvP8FPAAdQjyIXpf8BBWkbMPUvfzei/8n9v//3XwE=".utf8)) ?? []

    private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
        let named = Array(name.utf8) + content
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in named {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1 }
        }
        return big(UInt32(content.count)) + named + big(~crc)
    }

    private static func big(_ number: UInt32) -> [UInt8] {
        (0..<4).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}
