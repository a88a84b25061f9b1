internal import Base

/// The first chunk of a PNG file (PNG, third edition, section 11.2.1).
enum PNGHeader {
    static func read(_ bytes: Span<UInt8>) throws(PictureDefect) -> PictureHeader {
        guard bytes.has([0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52], at: 8), bytes.count >= 33,
            let width = bytes.bigEndian(4, at: 16), let height = bytes.bigEndian(4, at: 20),
            (1..<1 << 31).contains(width), (1..<1 << 31).contains(height)
        else { throw .header(.png) }
        // The whole picture is decoded, to three bytes per pixel.
        return PictureHeader(
            format: .png, size: PictureSize(width: width, height: height), heldBytesPerPixel: 3,
            payload: 0..<bytes.count)
    }
}
