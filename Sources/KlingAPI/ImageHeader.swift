public import Base

/// The format and size of a picture, read from its first bytes. The picture is never decoded.
public struct ImageHeader: Sendable, Hashable {
    /// Why a file cannot be used as a picture in a create.
    public enum Problem: Error, Sendable, Hashable, CustomStringConvertible {
        /// It is another kind of file, with its name if the first bytes reveal it.
        case format(String?)
        /// It begins like a picture, but its header is broken or cut off.
        case header(PictureFormat)
        /// It is a PNG file as Xcode packs them into an app.
        case xcodePNG
        /// It is too small.
        case size(width: Int, height: Int)
        /// It has too many bytes.
        case length(Int)

        public var description: String {
            switch self {
            case .format(let name):
                "is \(name ?? "not a picture by its first bytes"); only JPEG, PNG and WebP are allowed. Convert the picture."
            case .header(let format):
                "begins like a \(format.rawValue) file, but its header is broken or cut off. Send the whole file."
            case .xcodePNG:
                "is a PNG file in Xcode's own form (it begins with CgBI), which only Apple's software reads. Send the "
                    + "original file, or set \"Compress PNG Files\" to No in Xcode's build settings."
            case .size(let width, let height):
                "is \(width) x \(height) pixels; at least \(TryOn.minPictureSide) x \(TryOn.minPictureSide) are required."
                    + " Send a larger picture."
            case .length(let count):
                "has \(count) bytes; at most \(TryOn.maxPictureBytes) are allowed. Send a smaller picture."
            }
        }
    }

    public let format: PictureFormat
    /// In pixels.
    public let width: Int
    /// In pixels.
    public let height: Int

    /// Reads the header of `file` and checks it against Kling's limits.
    public static func check(file: ByteSlice) throws(Problem) -> ImageHeader {
        try file.bytes.withByteSpan { (bytes) throws(Problem) -> ImageHeader in
            try check(PictureFile(start: file.range.lowerBound, count: file.count, isBase64: false), bytes)
        }
    }

    static func check(_ file: PictureFile, _ text: Span<UInt8>) throws(Problem) -> ImageHeader {
        let header = try read(file, text)
        guard file.count <= TryOn.maxPictureBytes else { throw .length(file.count) }
        guard min(header.width, header.height) >= TryOn.minPictureSide else {
            throw .size(width: header.width, height: header.height)
        }
        return header
    }

    private static func read(_ file: PictureFile, _ text: Span<UInt8>) throws(Problem) -> ImageHeader {
        if file.begins([0xFF, 0xD8, 0xFF], text) { return try jpeg(file, text) }
        if file.begins([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], text) { return try png(file, text) }
        if file.begins(Array("RIFF".utf8), text), file.begins(Array("WEBP".utf8), text, at: 8) {
            return try webp(file, text)
        }
        throw .format(otherFormat(file, text))
    }

    /// The `IHDR` chunk comes first (PNG, section 5.6).
    private static func png(_ file: PictureFile, _ text: Span<UInt8>) throws(Problem) -> ImageHeader {
        if file.begins(Array("CgBI".utf8), text, at: 12) { throw .xcodePNG }
        guard file.begins([0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52], text, at: 8),
            let width = file.integer(4, text, at: 16), let height = file.integer(4, text, at: 20)
        else { throw .header(.png) }
        return ImageHeader(format: .png, width: width, height: height)
    }

    private static let maxSegments = 512
    /// How many bytes between two segments are skipped, as decoders do.
    private static let maxStrayBytes = 4096

    /// The frame header comes after any number of other segments (ITU-T T.81, annex B).
    private static func jpeg(_ file: PictureFile, _ text: Span<UInt8>) throws(Problem) -> ImageHeader {
        var position = 2
        for _ in 0..<maxSegments {
            position = skipStrayBytes(file, text, from: position)
            guard file.byte(position, text) == 0xFF else { throw .header(.jpeg) }
            var fill = 0
            while file.byte(position + 1, text) == 0xFF, fill < maxSegments {
                position += 1
                fill += 1
            }
            guard let marker = file.byte(position + 1, text) else { throw .header(.jpeg) }
            position += 2
            switch marker {
            case 0x01, 0xD0...0xD7:
                continue
            case 0x00, 0xFF, 0xD8...0xDA:
                throw .header(.jpeg)
            case 0xC0...0xCF where marker != 0xC4 && marker != 0xC8 && marker != 0xCC:
                guard let height = file.integer(2, text, at: position + 3), height > 0,
                    let width = file.integer(2, text, at: position + 5)
                else { throw .header(.jpeg) }
                return ImageHeader(format: .jpeg, width: width, height: height)
            default:
                guard let length = file.integer(2, text, at: position), length >= 2 else { throw .header(.jpeg) }
                position += length
            }
        }
        throw .header(.jpeg)
    }

    /// The position of the next marker, if it is near.
    private static func skipStrayBytes(_ file: PictureFile, _ text: Span<UInt8>, from start: Int) -> Int {
        var position = start
        while position < start + maxStrayBytes, let byte = file.byte(position, text),
            byte != 0xFF || file.byte(position + 1, text) == 0
        {
            position += 1
        }
        return position
    }

    /// The first chunk holds the size; its type determines the layout (RFC 9649, sections 2.5 to 2.7).
    private static func webp(_ file: PictureFile, _ text: Span<UInt8>) throws(Problem) -> ImageHeader {
        func number(_ width: Int, at index: Int) -> Int? { file.integer(width, text, at: index, isLittle: true) }
        let size: (width: Int, height: Int)?
        if file.begins(Array("VP8 ".utf8), text, at: 12), file.begins([0x9D, 0x01, 0x2A], text, at: 23) {
            size = number(4, at: 26).map { ($0 & 0x3FFF, $0 >> 16 & 0x3FFF) }
        } else if file.begins(Array("VP8L".utf8), text, at: 12), file.begins([0x2F], text, at: 20) {
            size = number(4, at: 21).map { (($0 & 0x3FFF) + 1, ($0 >> 14 & 0x3FFF) + 1) }
        } else if file.begins(Array("VP8X".utf8), text, at: 12), let width = number(3, at: 24) {
            size = number(3, at: 27).map { (width + 1, $0 + 1) }
        } else {
            size = nil
        }
        guard let size else { throw .header(.webp) }
        return ImageHeader(format: .webp, width: size.width, height: size.height)
    }

    private static let others: [(start: [UInt8], offset: Int, name: String)] = [
        (Array("GIF8".utf8), 0, "a GIF picture"),
        (Array("JXL ".utf8), 4, "a JPEG XL picture"),
        ([0xFF, 0x0A], 0, "a JPEG XL picture"),
        (Array("BM".utf8), 0, "a BMP picture"),
        (Array("ftypavif".utf8), 4, "an AVIF picture"),
        (Array("ftyphei".utf8), 4, "a HEIC picture"),
        (Array("ftypmif1".utf8), 4, "a HEIC picture"),
        ([0x49, 0x49, 0x2A, 0x00], 0, "a TIFF picture"),
        ([0x4D, 0x4D, 0x00, 0x2A], 0, "a TIFF picture"),
        (Array("%PDF".utf8), 0, "a PDF document"),
        (Array("<svg".utf8), 0, "an SVG picture"),
        (Array("<".utf8), 0, "an HTML or XML page"),
        (Array("{".utf8), 0, "a JSON text"),
    ]

    private static func otherFormat(_ file: PictureFile, _ text: Span<UInt8>) -> String? {
        others.first { file.begins($0.start, text, at: $0.offset) }?.name
    }
}

/// Random access to a file, either raw or as base64 text. Only the letters that a byte needs are decoded.
struct PictureFile: Sendable {
    /// Where the file, or its base64 text, starts.
    let start: Int
    /// How many bytes the file has.
    let count: Int
    let isBase64: Bool

    func byte(_ index: Int, _ text: Span<UInt8>) -> UInt8? {
        guard index < count else { return nil }
        guard isBase64 else { return text[start + index] }
        let letter = start + index / 3 * 4
        func bits(_ offset: Int) -> UInt8 { Base64.value(text[letter + offset]) }
        return switch index % 3 {
        case 0: bits(0) << 2 | bits(1) >> 4
        case 1: bits(1) << 4 | bits(2) >> 2
        default: bits(2) << 6 | bits(3)
        }
    }

    /// An integer of `width` bytes, big-endian unless `isLittle` is set.
    func integer(_ width: Int, _ text: Span<UInt8>, at index: Int, isLittle: Bool = false) -> Int? {
        var value = 0
        for offset in 0..<width {
            guard let byte = byte(index + (isLittle ? width - 1 - offset : offset), text) else { return nil }
            value = value << 8 | Int(byte)
        }
        return value
    }

    func begins(_ bytes: [UInt8], _ text: Span<UInt8>, at index: Int = 0) -> Bool {
        bytes.indices.allSatisfy { byte(index + $0, text) == bytes[$0] }
    }

    /// Whether the file is itself base64 of a picture, or a `data:` URL.
    func isBase64Text(_ text: Span<UInt8>) -> Bool { Self.base64Starts.contains { begins($0, text) } }

    private static let base64Starts = ["/9j/", "iVBORw0KGgo", "UklGR", "data:image/"].map { Array($0.utf8) }
}
