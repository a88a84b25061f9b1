internal import Base

/// The character sets in which a form's texts are read.
enum FormCharset: Sendable {
    case utf8
    /// Windows-1252, which also stands for ISO-8859-1 (WHATWG Encoding, section 4.2).
    case windows1252

    /// Reads the `charset` of a `Content-Type`; nil for a character set that is not supported.
    init?(label: String) {
        switch label.lowercased() {
        case "utf-8", "utf8", "us-ascii", "ascii": self = .utf8
        case "iso-8859-1", "iso8859-1", "latin1", "windows-1252", "cp1252": self = .windows1252
        default: return nil
        }
    }

    /// The text of a part; nil if it is not text in this character set.
    func text(_ content: ByteSlice) -> String? {
        // The slice lends its bytes for the duration of the call; the text is a copy.
        unsafe content.withUnsafeBytes { bytes in
            guard self == .windows1252 else { return unsafe String(validating: bytes, as: UTF8.self) }
            var text = String.UnicodeScalarView()
            text.append(contentsOf: unsafe bytes.map { Self.scalar($0) })
            return String(text)
        }
    }

    private static func scalar(_ byte: UInt8) -> UnicodeScalar {
        guard (0x80...0x9F).contains(byte) else { return UnicodeScalar(byte) }
        return UnicodeScalar(from80[Int(byte - 0x80)]) ?? UnicodeScalar(byte)
    }

    /// The characters 0x80 to 0x9F, in which Windows-1252 differs from ISO-8859-1.
    private static let from80: [UInt16] = [
        0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,
        0x017D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
        0x0153, 0x9D, 0x017E, 0x0178,
    ]
}

extension ByteSlice {
    /// Whether this is the content of a file rather than a text, by its first bytes: a JPEG or WebP picture, or
    /// anything with a control character there, as most other formats have.
    var beginsLikeFile: Bool {
        // The slice lends its bytes for the duration of the call.
        unsafe withUnsafeBytes { bytes in
            let start = unsafe bytes.prefix(16)
            if unsafe start.starts(with: [0xFF, 0xD8, 0xFF]) { return true }
            let isRIFF = unsafe start.starts(with: "RIFF".utf8)
            if isRIFF, unsafe start.dropFirst(8).starts(with: "WEBP".utf8) { return true }
            return unsafe start.contains { $0 < 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
        }
    }
}
