public import Base

/// Base64 (RFC 4648) in both alphabets: standard with padding (section 4), and URL-safe without (section 5).
public enum Base64 {
    /// One of the two alphabets.
    public enum Alphabet: Sendable {
        case standard, urlSafe
    }

    /// The text for `bytes`: padded in the standard alphabet, unpadded in the URL-safe one.
    public static func encode(_ bytes: some Sequence<UInt8>, _ alphabet: Alphabet = .standard) -> String {
        String(decoding: encodedBytes(Array(bytes).span, alphabet), as: UTF8.self)
    }

    /// The length of the standard base64 of `count` bytes.
    public static func textCount(of count: Int) -> Int { (count + 2) / 3 * 4 }

    /// Encodes a picture in the standard alphabet, into a new block.
    /// - Parameter onRelease: called once, when the block is released.
    /// - Returns: nil if there is not enough memory; `onRelease` is then not called.
    public static func encode(_ picture: Bytes, onRelease: (@Sendable () -> Void)? = nil) -> Bytes? {
        guard let text = Bytes(reserving: textCount(of: picture.count), onRelease: onRelease) else { return nil }
        append(ByteSlice(picture, 0..<picture.count), to: text)
        return text
    }

    /// Appends the standard base64 of `file` to `text`, which must have room for it. Only the owner of `text` may call
    /// this, and only before it is shared.
    static func append(_ file: ByteSlice, to text: Bytes) {
        precondition(text.capacity - text.count >= textCount(of: file.count), "more text than there is room for")
        // The precondition checked the room, and the file is in a different block.
        file.bytes.withByteSpan { bytes in
            _ = unsafe text.append { space in
                var position = 0
                forEachLetter(of: bytes.extracting(file.range), .standard) { letter in
                    unsafe space[position] = letter
                    position += 1
                }
                return position
            }
        }
    }

    /// Decodes `text`; nil unless it is the canonical encoding of its bytes.
    public static func decode(_ text: some Sequence<UInt8>, _ alphabet: Alphabet = .standard) -> [UInt8]? {
        let text = Array(text)
        var letters = text[...]
        if alphabet == .standard {
            guard text.count % 4 == 0 else { return nil }
            while letters.last == UInt8(ascii: "="), text.count - letters.count < 2 { letters.removeLast() }
        }
        guard letters.count % 4 != 1 else { return nil }
        let values = alphabet == .standard ? standardValues : urlSafeValues
        var result: [UInt8] = []
        result.reserveCapacity(letters.count / 4 * 3 + 2)
        var (buffer, bits) = (UInt32(0), 0)
        for letter in letters {
            guard values[Int(letter)] != invalid else { return nil }
            buffer = (buffer << 6 | UInt32(values[Int(letter)])) & 0xFFFF
            bits += 6
            guard bits >= 8 else { continue }
            bits -= 8
            result.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
        }
        return buffer & (1 << UInt32(bits) - 1) == 0 ? result : nil
    }

    /// The six bits of a letter of the standard alphabet; 0 for anything else.
    static func value(_ letter: UInt8) -> UInt8 {
        let value = standardValues[Int(letter)]
        return value == invalid ? 0 : value
    }

    private static func encodedBytes(_ bytes: Span<UInt8>, _ alphabet: Alphabet) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        forEachLetter(of: bytes, alphabet) { text.append($0) }
        return text
    }

    @inline(__always)
    private static func forEachLetter(of bytes: Span<UInt8>, _ alphabet: Alphabet, _ body: (UInt8) -> Void) {
        let letters = (alphabet == .standard ? standardLetters : urlSafeLetters).span
        var index = 0
        while index + 3 <= bytes.count {
            let group = UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2])
            body(letters[Int(group >> 18 & 63)])
            body(letters[Int(group >> 12 & 63)])
            body(letters[Int(group >> 6 & 63)])
            body(letters[Int(group & 63)])
            index += 3
        }
        let rest = bytes.count - index
        guard rest > 0 else { return }
        let group = UInt32(bytes[index]) << 16 | (rest == 2 ? UInt32(bytes[index + 1]) << 8 : 0)
        body(letters[Int(group >> 18 & 63)])
        body(letters[Int(group >> 12 & 63)])
        if rest == 2 { body(letters[Int(group >> 6 & 63)]) }
        if alphabet == .standard { for _ in rest..<3 { body(UInt8(ascii: "=")) } }
    }

    private static let shared = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    private static let standardLetters = Array((shared + "+/").utf8)
    private static let urlSafeLetters = Array((shared + "-_").utf8)
    private static let invalid: UInt8 = 0xFF
    private static let standardValues = values(of: standardLetters)
    private static let urlSafeValues = values(of: urlSafeLetters)

    private static func values(of letters: [UInt8]) -> [UInt8] {
        var table = [UInt8](repeating: invalid, count: 256)
        for (value, letter) in letters.enumerated() { table[Int(letter)] = UInt8(value) }
        return table
    }
}

extension Span<UInt8> {
    /// Whether all bytes are letters of the standard alphabet.
    var isBase64: Bool {
        unsafe withUnsafeBufferPointer { letters in
            // The span lends its own memory, `count` bytes long.
            guard let start = letters.baseAddress else { return true }
            return unsafe KlingAPI.isBase64(start, letters.count)
        }
    }
}

/// A number of letters of the standard alphabet at `start`: all that there are of the `count` bytes, if they are all
/// letters, and otherwise about a kilobyte less at most.
@unsafe func base64Prefix(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int {
    let block = 1024
    var index = 0
    while index + block <= count, unsafe isBase64(start + index, block) { index += block }
    return unsafe index + block > count && isBase64(start + index, count - index) ? count : index
}

/// Whether the `count` bytes at `start` are all letters of the standard alphabet.
///
/// Branch-free, and a free function over a pointer: the optimizer vectorizes only this form. Processors have minima and
/// maxima of unsigned bytes, but no comparisons; with comparisons, this is three times slower.
@inline(__always) @unsafe func isBase64(_ start: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    var found: UInt8 = 0
    for index in 0..<count {
        let byte = unsafe start[index]
        // Each is 0 for the bytes that it stands for; the digits follow the slash.
        let letter = atLeast(25, (byte | 0x20) &- 0x61) &- 25
        let digit = atLeast(10, byte &- 0x2F) &- 10
        let plus = byte ^ 0x2B
        let nearest = letter < digit ? letter : digit
        found |= nearest < plus ? nearest : plus
    }
    return found == 0
}

@inline(__always) private func atLeast(_ least: UInt8, _ value: UInt8) -> UInt8 { value > least ? value : least }
