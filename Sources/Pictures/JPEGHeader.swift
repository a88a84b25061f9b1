internal import Base

/// The segments of a JPEG file up to its first scan (ITU-T T.81, annex B).
struct JPEGHeader {
    private var size: PictureSize?
    private var isProgressive = false
    private var orientation: Orientation?
    private var profile = JPEGProfile()
    /// Samples per pixel, in 64ths; chroma may have fewer than luma.
    private var samples = 64
    private var components = 0

    static func read(_ bytes: Span<UInt8>) throws(PictureDefect) -> PictureHeader {
        var header = JPEGHeader()
        let scan = try header.readSegments(bytes)
        guard let size = header.size, let count = bytes.byte(scan + 2) else { throw .header(.jpeg) }
        // The library holds such a file whole, as two-byte coefficients, before it outputs the first pixel.
        let isKept = header.isProgressive || Int(count) < header.components
        return PictureHeader(
            format: .jpeg, size: size, orientation: header.orientation ?? .upright,
            heldBytesPerPixel: isKept ? (header.samples * 2 + 63) / 64 : 0,
            colors: header.profile.encodings, isGray: header.components == 1, isCMYK: header.components == 4,
            payload: 0..<bytes.count)
    }

    private static let maxSegments = 2048

    /// - Returns: the position of the first scan's header, at its length field.
    private mutating func readSegments(_ bytes: Span<UInt8>) throws(PictureDefect) -> Int {
        var markers = JPEGMarkers()
        for _ in 0..<Self.maxSegments {
            guard let marker = markers.next(in: bytes) else { throw .header(.jpeg) }
            if JPEGMarkers.standsAlone(marker) {
                guard !(0xD8...0xD9).contains(marker) else { throw .header(.jpeg) }
                continue
            }
            guard let content = markers.skipSegment(in: bytes), content.upperBound <= bytes.count else {
                throw .header(.jpeg)
            }
            if marker == 0xDA { return content.lowerBound - 2 }
            try take(marker, bytes, content.lowerBound, content.count)
        }
        throw .header(.jpeg)
    }

    private mutating func take(
        _ marker: UInt8, _ bytes: Span<UInt8>, _ start: Int, _ count: Int
    ) throws(PictureDefect) {
        switch marker {
        case 0xC0, 0xC1, 0xC2:
            guard size == nil else { throw .header(.jpeg) }
            isProgressive = marker == 0xC2
            try takeFrame(bytes, start, count)
        case 0xC3: throw .kind(.jpeg, "lossless coding")
        case 0xC9, 0xCA: throw .kind(.jpeg, "arithmetic coding")
        case 0xC5...0xC7, 0xCB, 0xCD...0xCF: throw .kind(.jpeg, "hierarchical or lossless coding")
        case 0xE1 where orientation == nil && bytes.has("Exif\0\0", at: start):
            orientation = Orientation(exif: bytes, at: start + 6, end: start + count)
        case 0xE2: profile.take(bytes, start..<start + count)
        default: break
        }
    }

    private mutating func takeFrame(_ bytes: Span<UInt8>, _ start: Int, _ count: Int) throws(PictureDefect) {
        guard count >= 6, let precision = bytes.byte(start), let height = bytes.bigEndian(2, at: start + 1),
            let width = bytes.bigEndian(2, at: start + 3), let components = bytes.byte(start + 5),
            count >= 6 + 3 * Int(components), width > 0, height > 0
        else { throw .header(.jpeg) }
        guard precision == 8 else { throw .kind(.jpeg, "\(precision) bits a sample") }
        guard [1, 3, 4].contains(components) else { throw .kind(.jpeg, "\(components) components") }
        let factors = (0..<Int(components)).map { bytes[start + 7 + 3 * $0] }.map { (Int($0 >> 4), Int($0 & 15)) }
        guard factors.allSatisfy({ (1...4).contains($0.0) && (1...4).contains($0.1) }) else { throw .header(.jpeg) }
        let most = factors.reduce(1) { max($0, $1.0) } * factors.reduce(1) { max($0, $1.1) }
        samples = factors.reduce(0) { $0 + $1.0 * $1.1 } * 64 / most
        self.components = Int(components)
        size = PictureSize(width: width, height: height)
    }
}

/// Counts the scans of a JPEG file, and checks whether the file is complete.
struct JPEGScans {
    private(set) var count = 0
    private(set) var isComplete = false

    init(_ bytes: Span<UInt8>) {
        var markers = JPEGMarkers()
        while let marker = markers.next(in: bytes) {
            if marker == 0xD9 {
                isComplete = true
                return
            }
            if JPEGMarkers.standsAlone(marker) { continue }
            if marker == 0xDA { count += 1 }
            if markers.skipSegment(in: bytes) == nil { return }
        }
    }
}

/// Walks over the markers of a JPEG file, in the order in which a decoder finds them. As in every decoder, stray bytes
/// between two segments do no harm.
struct JPEGMarkers {
    /// The position after the last marker or segment.
    private var position = 2

    /// Whether a marker has no segment after it.
    static func standsAlone(_ marker: UInt8) -> Bool { marker == 0x01 || (0xD0...0xD9).contains(marker) }

    /// The next marker; nil at the end of the file.
    mutating func next(in bytes: Span<UInt8>) -> UInt8? {
        while position < bytes.count - 1 {
            if bytes[position] == 0xFF, bytes[position + 1] != 0, bytes[position + 1] != 0xFF {
                position += 2
                return bytes[position - 1]
            }
            position += 1
        }
        return nil
    }

    /// Skips the segment after the marker, and returns the range of its content, which may lie beyond the end of the
    /// file; nil if it has no valid length.
    mutating func skipSegment(in bytes: Span<UInt8>) -> Range<Int>? {
        guard let length = bytes.bigEndian(2, at: position), length >= 2 else { return nil }
        defer { position += length }
        return position + 2..<position + length
    }
}
