internal import Base

/// What the header of a file says about its picture: enough to know what decoding will cost.
struct PictureHeader: Sendable, Equatable {
    var format: PictureFormat
    /// As stored, in pixels.
    var size: PictureSize
    /// How the stored picture relates to the upright one.
    var orientation = Orientation.upright
    /// How many bytes decoding holds per pixel of the stored picture, whatever size it decodes to.
    var heldBytesPerPixel = 0
    /// What the file says about its colors, the most important first; empty for sRGB.
    var colors: [ColorEncoding] = []
    /// Whether it has one sample per pixel, besides opacity.
    var isGray = false
    /// Whether pixels may be transparent.
    var hasAlpha = false
    /// Whether it is a JPEG of four inks.
    var isCMYK = false
    /// The range of the picture in the file; in an animated WebP, the first frame.
    var payload: Range<Int>
    /// Whether the file is an animation.
    var isAnimated = false
    /// Where the first frame of an animation lies in the picture; nil if it fills it.
    var framePlace: StitchPlan.Place?
    /// Whether some programs would turn the picture, although browsers don't.
    var isTurnedBySome = false

    /// The size of the upright picture.
    var uprightSize: PictureSize { orientation.swapsSides ? size.turned : size }

    /// Reads the header of `file` and checks it against `limits`.
    static func read(_ file: ByteSlice, _ limits: PictureLimits) throws(PictureDefect) -> PictureHeader {
        guard file.count <= limits.maxInputBytes else { throw .length(file.count, allowed: limits.maxInputBytes) }
        let header = try file.withBytes { (bytes) throws(PictureDefect) in
            guard let format = PictureFormat(of: bytes) else { throw .format(OtherFormat.name(of: bytes)) }
            return switch format {
            case .jpeg: try JPEGHeader.read(bytes)
            case .png: try PNGHeader.read(bytes)
            case .webp: try WebPHeader.read(file)
            }
        }
        guard min(header.size.width, header.size.height) >= limits.minSide else {
            let size = header.uprightSize
            throw limits.isStrict
                ? .tooShort(width: size.width, height: size.height, moreThan: limits.minSide - 1)
                : .tooSmall(width: size.width, height: size.height, allowed: limits.minSide)
        }
        let allowed = min(limits.pixels, limits.decodingBytes / max(1, header.heldBytesPerPixel))
        guard header.size.pixels <= allowed else {
            let size = header.uprightSize
            throw .tooLarge(width: size.width, height: size.height, allowed: allowed)
        }
        try PictureEnd.check(file, header.format)
        return header
    }
}

/// A width and a height, in pixels.
struct PictureSize: Sendable, Hashable {
    var width: Int
    var height: Int

    var pixels: Int { width * height }
    var longSide: Int { max(width, height) }
    var turned: PictureSize { PictureSize(width: height, height: width) }

    /// This size times a fraction, with sides of at least one pixel.
    func scaled(by numerator: Int, over denominator: Int) -> PictureSize {
        PictureSize(
            width: max(1, (width * numerator + denominator / 2) / denominator),
            height: max(1, (height * numerator + denominator / 2) / denominator))
    }
}

extension PictureFormat {
    /// The format of a file, by its first bytes.
    init?(of bytes: Span<UInt8>) {
        if bytes.has([0xFF, 0xD8, 0xFF], at: 0) {
            self = .jpeg
        } else if bytes.has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], at: 0) {
            self = .png
        } else if bytes.has("RIFF", at: 0), bytes.has("WEBP", at: 8) {
            self = .webp
        } else {
            return nil
        }
    }
}

/// Names for the other kinds of files that clients send.
private enum OtherFormat {
    static func name(of bytes: Span<UInt8>) -> String? {
        if bytes.has([0xFF, 0x0A], at: 0) { return "a JPEG XL picture" }
        return marks.first { bytes.has($0.mark, at: $0.offset) }?.name
    }

    private static let marks: [(mark: StaticString, offset: Int, name: String)] = [
        ("GIF8", 0, "a GIF picture"), ("JXL ", 4, "a JPEG XL picture"), ("BM", 0, "a BMP picture"),
        ("ftypavif", 4, "an AVIF picture"), ("ftyphei", 4, "a HEIC picture"), ("ftypmif1", 4, "a HEIC picture"),
        ("II*", 0, "a TIFF picture"), ("MM\0*", 0, "a TIFF picture"), ("%PDF", 0, "a PDF document"),
        ("<svg", 0, "an SVG picture"), ("<", 0, "an HTML or XML page"), ("{", 0, "a JSON text"),
    ]
}
