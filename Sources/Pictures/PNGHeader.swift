internal import Base
internal import CZlib

/// The chunks of a PNG file before its first row (PNG, third edition, section 5.6).
struct PNGHeader {
    private let isGray: Bool
    private var hasAlpha: Bool
    private var orientation: Orientation?
    private var colors = PNGColors()

    static func read(_ bytes: Span<UInt8>) throws(PictureDefect) -> PictureHeader {
        if bytes.has("CgBI", at: 12) { throw .xcodePNG }
        guard bytes.has([0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52], at: 8), bytes.count >= 33,
            let width = bytes.bigEndian(4, at: 16), let height = bytes.bigEndian(4, at: 20),
            (1..<1 << 31).contains(width), (1..<1 << 31).contains(height)
        else { throw .header(.png) }
        var header = PNGHeader(colorType: bytes[25])
        try header.readChunks(bytes)
        // The whole picture is decoded, to three or four bytes per pixel.
        return PictureHeader(
            format: .png, size: PictureSize(width: width, height: height),
            orientation: header.orientation ?? .upright, heldBytesPerPixel: header.hasAlpha ? 4 : 3,
            colors: header.colors.encodings, isGray: header.isGray, hasAlpha: header.hasAlpha, payload: 0..<bytes.count)
    }

    private init(colorType: UInt8) { (isGray, hasAlpha) = (colorType & 2 == 0, colorType & 4 != 0) }

    private static let maxChunks = 2048

    /// Chunks after the first row don't count for browsers, nor do those with a wrong checksum.
    private mutating func readChunks(_ bytes: Span<UInt8>) throws(PictureDefect) {
        var chunks = PNGChunks()
        for _ in 0..<Self.maxChunks {
            guard let chunk = chunks.next(in: bytes) else { throw .header(.png) }
            if bytes.has("IDAT", at: chunk.name) { return }
            if bytes.has("tRNS", at: chunk.name) { hasAlpha = true }
            if bytes.has("eXIf", at: chunk.name), orientation == nil, chunk.isIntact(bytes) {
                orientation = Orientation(exif: bytes, at: chunk.content.lowerBound, end: chunk.content.upperBound)
            }
            if PNGColors.names.contains(where: { bytes.has($0, at: chunk.name) }), chunk.isIntact(bytes) {
                colors.take(bytes, chunk)
            }
        }
        throw .header(.png)
    }
}

/// Walks over the chunks of a PNG file (PNG, third edition, section 5.3).
struct PNGChunks {
    /// One chunk; its range may lie beyond the end of the file.
    struct Chunk {
        /// The chunk with its length, name and checksum.
        var whole: Range<Int>
        /// The position of its name.
        var name: Int { whole.lowerBound + 4 }
        var content: Range<Int> { whole.lowerBound + 8..<whole.upperBound - 4 }

        /// Whether the chunk is in the file as a whole, with the right checksum.
        func isIntact(_ bytes: Span<UInt8>) -> Bool {
            guard whole.upperBound <= bytes.count else { return false }
            let part = bytes.extracting(name..<content.upperBound)
            // The library only reads the part.
            let checksum = unsafe part.withUnsafeBufferPointer { unsafe crc32(0, $0.baseAddress, uInt($0.count)) }
            return bytes.bigEndian(4, at: content.upperBound) == Int(checksum)
        }
    }

    private var position = 8

    /// The next chunk; nil if the file ends before its length and name.
    mutating func next(in bytes: Span<UInt8>) -> Chunk? {
        guard position <= bytes.count - 8, let length = bytes.bigEndian(4, at: position) else { return nil }
        let end = position + 12 + length
        defer { position = end }
        return Chunk(whole: position..<end)
    }
}
