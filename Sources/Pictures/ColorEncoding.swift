internal import Base

/// How a file says which colors its samples mean. The ranges are byte positions in the file.
enum ColorEncoding: Sendable, Equatable {
    /// An ICC profile, in pieces.
    case profile([Range<Int>])
    /// An ICC profile, compressed by zlib.
    case compressedProfile(Range<Int>)
    /// Code points of ITU-T H.273.
    case codes(primaries: UInt8, transfer: UInt8)
    /// The exponent of the samples in 100,000ths, and where white, red, green and blue lie (CIE 1931 x and y, in
    /// 100,000ths); nil for those of sRGB.
    case measured(gamma: Int, chromaticities: [Int]?)
}

/// Collects the pieces of a JPEG file's ICC profile (ICC.1:2022, annex B.4). Browsers ignore a profile if a piece is
/// missing, and take the first of two pieces with the same number.
struct JPEGProfile {
    private var pieces: [Int: Range<Int>] = [:]
    private var count: Int?

    private static let mark: StaticString = "ICC_PROFILE\0"
    private static let head = 14

    /// Takes the content of an APP2 segment.
    mutating func take(_ bytes: Span<UInt8>, _ content: Range<Int>) {
        guard content.count > Self.head, bytes.has(Self.mark, at: content.lowerBound) else { return }
        let (number, total) = (Int(bytes[content.lowerBound + 12]), Int(bytes[content.lowerBound + 13]))
        count = count ?? total
        guard (1...max(1, total)).contains(number), total == count, pieces[number] == nil else { return }
        pieces[number] = content.lowerBound + Self.head..<content.upperBound
    }

    var encodings: [ColorEncoding] {
        guard let count, count > 0, pieces.count == count else { return [] }
        return [.profile((1...count).compactMap { pieces[$0] })]
    }
}

/// What a PNG file says about its colors (PNG, third edition, section 11.3.2), in the order that Chromium gives it:
/// `cICP` before `iCCP` before `sRGB` before `gAMA`. `cHRM` alone says nothing.
struct PNGColors {
    static let names: [StaticString] = ["cICP", "iCCP", "sRGB", "gAMA", "cHRM"]

    private var codes: ColorEncoding?
    private var profile: ColorEncoding?
    private var isSRGB = false
    private var gamma: Int?
    private var chromaticities: [Int]?

    /// Chromium treats the usual exponent of displays, 1 / 2.2 or nearly so, as sRGB.
    private static let usualGamma = 43_478...47_619

    mutating func take(_ bytes: Span<UInt8>, _ chunk: PNGChunks.Chunk) {
        let (name, start, count) = (chunk.name, chunk.content.lowerBound, chunk.content.count)
        if bytes.has("cICP", at: name), count == 4, bytes[start + 2] == 0, bytes[start + 3] == 1 {
            codes = .codes(primaries: bytes[start], transfer: bytes[start + 1])
        } else if bytes.has("iCCP", at: name) {
            profile = profile ?? Self.profile(bytes, chunk.content)
        } else if bytes.has("sRGB", at: name) {
            isSRGB = true
        } else if bytes.has("gAMA", at: name), count == 4 {
            gamma = gamma ?? bytes.bigEndian(4, at: start)
        } else if bytes.has("cHRM", at: name), count == 32 {
            chromaticities = chromaticities ?? (0..<8).compactMap { bytes.bigEndian(4, at: start + 4 * $0) }
        }
    }

    /// A name of at most 79 bytes, a zero, and the method 0 come before the compressed profile.
    private static func profile(_ bytes: Span<UInt8>, _ content: Range<Int>) -> ColorEncoding? {
        guard let zero = content.prefix(80).first(where: { bytes[$0] == 0 }), zero + 2 < content.upperBound,
            bytes[zero + 1] == 0
        else { return nil }
        return .compressedProfile(zero + 2..<content.upperBound)
    }

    var encodings: [ColorEncoding] {
        var encodings = [codes, profile].compactMap { $0 }
        if let gamma, gamma > 0, !isSRGB, chromaticities != nil || !Self.usualGamma.contains(gamma) {
            encodings.append(.measured(gamma: gamma, chromaticities: chromaticities))
        }
        return encodings
    }
}
