internal import Base

/// Converts the text of a JSON string to standard base64, in place.
///
/// It decodes escapes and percent-encoding, drops line breaks and tabs with the spaces around them, replaces URL-safe
/// letters and counts the padding. Spaces within a line stay for ``Base64Spaces``. It can pause within the text and
/// resume later.
struct Base64Repair {
    /// How many letters have been written so far, from the start of the text.
    private(set) var written = 0
    /// How many `=` follow them.
    private(set) var padding = 0
    /// How many of the letters are spaces.
    private(set) var spaces = 0

    private let letters: Range<Int>
    private var position: Int
    /// How many letters had been written at the last line break.
    private var lineStart = 0

    /// Prepares to repair the text at `letters`, the content of a JSON string.
    init(_ letters: Range<Int>) {
        self.letters = letters
        position = letters.lowerBound
    }

    /// Repairs about `limit` more bytes, and returns whether the whole text is done.
    mutating func run(_ body: Bytes, atMost limit: Int) throws(PictureProblem) -> Bool {
        let stop = min(letters.upperBound, position + limit)
        precondition(letters.upperBound <= body.count, "the text is outside of the block")
        try unsafe body.withUnsafeMutableBytes { (raw) throws(PictureProblem) in
            let bytes = unsafe raw.assumingMemoryBound(to: UInt8.self)
            // The bounds were checked above, and writing never overtakes reading.
            while position < stop {
                if padding == 0 { unsafe takeLetters(bytes, stop) }
                if position < stop { try unsafe takeSpecial(bytes) }
            }
            if position >= letters.upperBound { unsafe endLine(bytes) }
        }
        return position >= letters.upperBound
    }

    private static let block = 32

    /// Copies letters, in the standard alphabet, up to the next byte that is not a letter.
    @unsafe private mutating func takeLetters(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ stop: Int) {
        guard let start = bytes.baseAddress else { return }
        var read = unsafe start + position
        var write = unsafe start + letters.lowerBound + written
        let end = unsafe start + stop
        let first = unsafe write
        unsafe Self.letterTable.withUnsafeBufferPointer { table in
            while unsafe read < end {
                while unsafe read + Self.block <= end, unsafe isBase64(read, Self.block) {
                    unsafe write.update(from: read, count: Self.block)
                    unsafe (read, write) = (read + Self.block, write + Self.block)
                }
                let limit = unsafe min(read + Self.block, end)
                while unsafe read < limit {
                    let letter = unsafe table[Int(read.pointee)]
                    guard letter != 0 else { return }
                    unsafe write.pointee = letter
                    unsafe (read, write) = (read + 1, write + 1)
                }
            }
        }
        written += unsafe write - first
        position = unsafe read - start
    }

    /// Handles one byte or escape of any kind.
    @unsafe private mutating func takeSpecial(_ bytes: UnsafeMutableBufferPointer<UInt8>) throws(PictureProblem) {
        var scalar = UInt32(unsafe bytes[position])
        var length = 1
        if scalar == 0x5C, let escape = try? unsafe JSONText.escape(bytes.span, at: position, end: letters.upperBound) {
            (scalar, length) = (escape.scalar, escape.length)
        }
        if scalar == 0x25, let byte = unsafe percentEncoded(bytes) { (scalar, length) = (byte, 3) }
        switch scalar {
        case 0x09, 0x0A, 0x0D:
            unsafe endLine(bytes)
        case 0x20:
            guard padding == 0, written > lineStart else { break }
            unsafe bytes[letters.lowerBound + written] = 0x20
            written += 1
            spaces += 1
        case 0x3D:
            padding += 1
        case 0..<128 where padding == 0 && Self.letterTable[Int(scalar)] != 0:
            unsafe bytes[letters.lowerBound + written] = Self.letterTable[Int(scalar)]
            written += 1
        default:
            throw .character(Self.name(of: scalar), position: written)
        }
        position += length
    }

    /// Drops the spaces at the end of a line.
    @unsafe private mutating func endLine(_ bytes: UnsafeMutableBufferPointer<UInt8>) {
        guard padding == 0 else { return }
        while written > lineStart, unsafe bytes[letters.lowerBound + written - 1] == 0x20 {
            written -= 1
            spaces -= 1
        }
        lineStart = written
    }

    /// The byte that is percent-encoded at the position; nil if none is.
    @unsafe private func percentEncoded(_ bytes: UnsafeMutableBufferPointer<UInt8>) -> UInt32? {
        guard position + 2 < letters.upperBound, let high = unsafe JSONText.hexValue(bytes[position + 1]),
            let low = unsafe JSONText.hexValue(bytes[position + 2])
        else { return nil }
        return high << 4 | low
    }

    private static func name(of scalar: UInt32) -> String {
        guard (0x21...0x7E).contains(scalar), let character = UnicodeScalar(scalar) else {
            return "the byte or character 0x\(String(scalar, radix: 16))"
        }
        return "'\(Character(character))'"
    }

    /// The standard letter for a byte; 0 for a byte that is not a letter.
    private static let letterTable: [UInt8] = (0...255).map { (byte: UInt8) -> UInt8 in
        switch byte {
        case 0x41...0x5A, 0x61...0x7A, 0x30...0x39, 0x2B, 0x2F: byte
        case UInt8(ascii: "-"): UInt8(ascii: "+")
        case UInt8(ascii: "_"): UInt8(ascii: "/")
        default: 0
        }
    }
}
