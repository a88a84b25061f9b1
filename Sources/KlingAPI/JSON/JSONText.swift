internal import Base

/// Reads the content of a JSON string: plain runs, escapes (RFC 8259 section 7) and UTF-8 (RFC 3629).
enum JSONText {
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")

    /// The position of the first quote, backslash, control character or non-ASCII byte in `range`; the end of the range
    /// if there is none.
    static func endOfPlainRun(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        unsafe bytes.extracting(range).withUnsafeBufferPointer { run in
            guard let start = run.baseAddress else { return range.upperBound }
            return unsafe range.lowerBound + plainPrefix(start, run.count)
        }
    }

    /// The end of the base64 letters at the start of `range`, or a position before it; the end of the range if there is
    /// nothing else.
    static func endOfLetters(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        unsafe bytes.extracting(range).withUnsafeBufferPointer { run in
            guard let start = run.baseAddress else { return range.upperBound }
            return unsafe range.lowerBound + base64Prefix(start, run.count)
        }
    }

    /// A decoded escape.
    struct Escape {
        let scalar: UInt32
        let length: Int
    }

    /// Reads the escape whose backslash is at `start`.
    static func escape(_ bytes: Span<UInt8>, at start: Int, end: Int) throws(JSONError) -> Escape {
        guard start + 1 < end else { throw .atEnd(start + 1, expected: "the rest of an escape") }
        if bytes[start + 1] == UInt8(ascii: "u") { return try unicodeEscape(bytes, at: start, end: end) }
        guard let scalar = shortEscapes[Int(bytes[start + 1])] else {
            throw .at(start + 1, bytes, expected: "one of \" \\ / b f n r t u after a backslash")
        }
        return Escape(scalar: UInt32(scalar), length: 2)
    }

    private static let shortEscapes: [UInt8?] = {
        var table = [UInt8?](repeating: nil, count: 256)
        let pairs: [(Character, UInt8)] = [
            ("\"", 0x22), ("\\", 0x5C), ("/", 0x2F), ("b", 8), ("f", 12), ("n", 10), ("r", 13), ("t", 9),
        ]
        for (letter, byte) in pairs { table[Int(letter.asciiValue ?? 0)] = byte }
        return table
    }()

    private static func unicodeEscape(_ bytes: Span<UInt8>, at start: Int, end: Int) throws(JSONError) -> Escape {
        let first = try hexUnit(bytes, at: start + 2, end: end)
        switch first {
        case 0xD800...0xDBFF:
            guard start + 7 < end, bytes[start + 6] == backslash, bytes[start + 7] == UInt8(ascii: "u") else {
                throw JSONError(offset: start, expected: "a low surrogate after a high one", found: "a lone surrogate")
            }
            let second = try hexUnit(bytes, at: start + 8, end: end)
            guard (0xDC00...0xDFFF).contains(second) else {
                throw JSONError(offset: start, expected: "a low surrogate after a high one", found: "a lone surrogate")
            }
            return Escape(scalar: 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00), length: 12)
        case 0xDC00...0xDFFF:
            throw JSONError(offset: start, expected: "a high surrogate first", found: "a lone surrogate")
        default:
            return Escape(scalar: first, length: 6)
        }
    }

    /// Whether the escape whose backslash is at `start` is one half of a surrogate pair without the other.
    static func isLoneSurrogate(_ bytes: Span<UInt8>, at start: Int, end: Int) -> Bool {
        guard start + 5 < end, bytes[start + 1] == UInt8(ascii: "u"), bytes[start + 2] | 0x20 == UInt8(ascii: "d"),
            let unit = try? hexUnit(bytes, at: start + 2, end: end), (0xD800...0xDFFF).contains(unit)
        else { return false }
        return (try? unicodeEscape(bytes, at: start, end: end)) == nil
    }

    private static func hexUnit(_ bytes: Span<UInt8>, at start: Int, end: Int) throws(JSONError) -> UInt32 {
        var unit: UInt32 = 0
        for index in start..<start + 4 {
            guard index < end else { throw .atEnd(index, expected: "four hexadecimal digits") }
            guard let digit = hexValue(bytes[index]) else {
                throw .at(index, bytes, expected: "a hexadecimal digit")
            }
            unit = unit << 4 | digit
        }
        return unit
    }

    static func hexValue(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x30...0x39: UInt32(byte - 0x30)
        case 0x41...0x46: UInt32(byte - 0x41 + 10)
        case 0x61...0x66: UInt32(byte - 0x61 + 10)
        default: nil
        }
    }

    /// The length of the well-formed UTF-8 sequence whose first byte, a non-ASCII one, is at `start`.
    static func sequenceLength(_ bytes: Span<UInt8>, at start: Int, end: Int) throws(JSONError) -> Int {
        let lead = bytes[start]
        let (length, second): (Int, ClosedRange<UInt8>) =
            switch lead {
            case 0xC2...0xDF: (2, 0x80...0xBF)
            case 0xE0: (3, 0xA0...0xBF)
            case 0xED: (3, 0x80...0x9F)
            case 0xE1...0xEF: (3, 0x80...0xBF)
            case 0xF0: (4, 0x90...0xBF)
            case 0xF1...0xF3: (4, 0x80...0xBF)
            case 0xF4: (4, 0x80...0x8F)
            default: (0, 0x80...0xBF)
            }
        guard length > 0, start + length <= end, second.contains(bytes[start + 1]) else {
            throw .at(start, bytes, expected: "well-formed UTF-8")
        }
        for index in start + 2..<start + max(length, 2) where bytes[index] & 0xC0 != 0x80 {
            throw .at(index, bytes, expected: "well-formed UTF-8")
        }
        return length
    }
}

extension JSONError {
    /// An error that shows the byte at `offset`.
    static func at(_ offset: Int, _ bytes: Span<UInt8>, expected: String) -> JSONError {
        let byte = bytes[offset]
        let isPrintable = (0x21...0x7E).contains(byte)
        let found = isPrintable ? "'\(Character(UnicodeScalar(byte)))'" : "the byte 0x\(String(byte, radix: 16))"
        return JSONError(offset: offset, expected: expected, found: found)
    }

    /// An error at the end of the text.
    static func atEnd(_ offset: Int, expected: String) -> JSONError {
        JSONError(offset: offset, expected: expected, found: "the end")
    }
}

/// How many of the `count` bytes at `start` precede the first quote, backslash, control character or non-ASCII byte.
///
/// It is a free function over a pointer because the optimizer vectorizes the inner loop only in this form.
@unsafe func plainPrefix(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int {
    var index = 0
    while index + 8 <= count {
        let mask = unsafe specialBytes(start + index)
        if mask != 0 { return index + mask.trailingZeroBitCount >> 3 }
        index += 8
        // Most strings end within a few words. In a long one, whole blocks are faster.
        if index == 64 { while index + 128 <= count, unsafe isPlainBlock(start + index) { index += 128 } }
    }
    if index > 0, index < count {
        // The last eight bytes. Those that were seen before are plain.
        let mask = unsafe specialBytes(start + count - 8)
        return count - 8 + mask.trailingZeroBitCount >> 3
    }
    while index < count {
        let byte = unsafe start[index]
        if byte < 0x20 || byte >= 0x80 || byte == JSONText.quote || byte == JSONText.backslash { return index }
        index += 1
    }
    return count
}

/// Whether the 128 bytes at `start` are all plain.
@unsafe private func isPlainBlock(_ start: UnsafePointer<UInt8>) -> Bool {
    var found: UInt8 = 0
    for offset in 0..<128 {
        let byte = unsafe start[offset]
        found |= (byte == 0x22 ? 0x80 : 0) | (byte == 0x5C ? 0x80 : 0) | (byte < 0x20 ? 0x80 : 0) | byte
    }
    return found < 0x80
}

/// The special ones of the eight bytes at `start`.
@unsafe private func specialBytes(_ start: UnsafePointer<UInt8>) -> UInt64 {
    let word = ByteWord(unsafe UnsafeRawPointer(start).loadUnaligned(as: UInt64.self).littleEndian)
    return word.equal(to: JSONText.quote) | word.equal(to: JSONText.backslash) | word.below(0x20) | word.nonASCII
}
