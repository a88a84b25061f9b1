/// How a stored picture relates to the upright one: the eight values of EXIF's tag 0x0112 (CIPA DC-008, section 4.6.4).
enum Orientation: Int, Sendable, CaseIterable {
    case upright = 1
    case mirrored, upsideDown, upsideDownMirrored, mirroredRotatedLeft, rotatedRight, mirroredRotatedRight, rotatedLeft

    /// Whether width and height are swapped.
    var swapsSides: Bool { rawValue >= 5 }

    /// The position, in the stored picture of size `stored`, of a pixel of the upright picture.
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

    /// Reads the tag from an EXIF block: the first directory of a TIFF file (TIFF 6.0, section 2).
    /// - Parameter start: the position of the block's TIFF header.
    init(exif bytes: Span<UInt8>, at start: Int, end: Int) {
        self = Self.value(bytes, start, min(end, bytes.count)).flatMap(Orientation.init(rawValue:)) ?? .upright
    }

    private static let tag = 0x0112
    private static let short = 3
    private static let entrySize = 12
    private static let maxEntries = 256

    private static func value(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
        let isLittle = bytes.has([0x49, 0x49, 0x2A, 0x00], at: start)
        guard isLittle || bytes.has([0x4D, 0x4D, 0x00, 0x2A], at: start) else { return nil }
        func number(_ width: Int, _ offset: Int) -> Int? {
            guard offset <= end - start - width else { return nil }
            let index = start + offset
            return isLittle ? bytes.littleEndian(width, at: index) : bytes.bigEndian(width, at: index)
        }
        guard let directory = number(4, 4), let count = number(2, directory) else { return nil }
        for entry in 0..<min(count, maxEntries) {
            let place = directory + 2 + entry * entrySize
            guard let found = number(2, place) else { return nil }
            if found == tag {
                return number(2, place + 2) == short && number(4, place + 4) == 1 ? number(2, place + 8) : nil
            }
        }
        return nil
    }
}
