/// The EXIF orientation of a picture: the eight values of tag 0x0112 (CIPA DC-008, section 4.6.4). Each case names what
/// turns the stored picture upright: first the mirroring from left to right, then the rotation.
enum Orientation: Int, Sendable, CaseIterable {
    case upright = 1
    case mirrored, upsideDown, upsideDownMirrored, mirroredRotatedLeft, rotatedRight, mirroredRotatedRight, rotatedLeft

    /// Whether turning the picture upright swaps width and height.
    var swapsSides: Bool { rawValue >= 5 }

    /// Maps a pixel of the upright picture to its position in the stored picture, which has the size `stored`.
    @inline(__always)
    func source(x: Int, y: Int, in stored: PictureSize) -> (x: Int, y: Int) {
        let (right, bottom) = (stored.width - 1, stored.height - 1)
        return switch self {
        case .upright: (x, y)
        case .mirrored: (right - x, y)
        case .upsideDown: (right - x, bottom - y)
        case .upsideDownMirrored: (x, bottom - y)
        case .mirroredRotatedLeft: (y, x)
        case .rotatedRight: (y, bottom - x)
        case .mirroredRotatedRight: (right - y, bottom - x)
        case .rotatedLeft: (right - y, x)
        }
    }

    /// Reads the tag from an EXIF block: the first directory of a TIFF file (TIFF 6.0, section 2). If the tag is
    /// missing or invalid, the picture counts as upright.
    /// - Parameters:
    ///   - start: the position of the block's TIFF header.
    ///   - end: the position after the block.
    init(exif bytes: Span<UInt8>, at start: Int, end: Int) {
        self = Self.value(bytes, start, min(end, bytes.count)).flatMap(Orientation.init(rawValue:)) ?? .upright
    }

    private static let tag = 0x0112
    /// The TIFF type SHORT: an unsigned 16-bit integer.
    private static let short = 3
    private static let entrySize = 12
    private static let maxEntries = 256

    private static func value(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
        let isLittleEndian = bytes.has([0x49, 0x49, 0x2A, 0x00], at: start)
        guard isLittleEndian || bytes.has([0x4D, 0x4D, 0x00, 0x2A], at: start) else { return nil }
        func number(_ width: Int, _ offset: Int) -> Int? {
            guard offset <= end - start - width else { return nil }
            let index = start + offset
            return isLittleEndian ? bytes.littleEndian(width, at: index) : bytes.bigEndian(width, at: index)
        }
        guard let directory = number(4, 4), let count = number(2, directory) else { return nil }
        for entry in 0..<min(count, maxEntries) {
            let offset = directory + 2 + entry * entrySize
            guard let found = number(2, offset) else { return nil }
            if found == tag {
                return number(2, offset + 2) == short && number(4, offset + 4) == 1 ? number(2, offset + 8) : nil
            }
        }
        return nil
    }
}
