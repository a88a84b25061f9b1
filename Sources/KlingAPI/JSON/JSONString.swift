internal import Base

/// Unescapes and escapes JSON strings. Text to unescape is expected to have passed the scanner.
public enum JSONString {
    /// The text between the quotes at `content`, unescaped.
    public static func text(_ bytes: Span<UInt8>, _ content: Range<Int>) -> String {
        guard JSONText.endOfPlainRun(bytes, content) == content.upperBound else {
            return String(decoding: self.bytes(bytes, content), as: UTF8.self)
        }
        // The pointer is used within the closure that lends it.
        return unsafe bytes.extracting(content).withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// The UTF-8 of the text between the quotes at `content`, unescaped.
    public static func bytes(_ bytes: Span<UInt8>, _ content: Range<Int>) -> [UInt8] {
        var position = JSONText.endOfPlainRun(bytes, content)
        if position == content.upperBound { return bytes.array(content) }
        var text = bytes.array(content.lowerBound..<position)
        text.reserveCapacity(content.count)
        while position < content.upperBound {
            let byte = bytes[position]
            guard byte == JSONText.backslash,
                let escape = try? JSONText.escape(bytes, at: position, end: content.upperBound)
            else {
                text.append(byte)
                position += 1
                continue
            }
            if let scalar = UnicodeScalar(escape.scalar) { text.append(contentsOf: UTF8.encode(scalar) ?? .init()) }
            position += escape.length
        }
        return text
    }

    /// The position after `prefix`, if `content` starts with it. To ignore case, `prefix` must be in lower case.
    static func position(
        after prefix: StaticString, _ bytes: Span<UInt8>, _ content: Range<Int>, ignoringCase: Bool = true
    ) -> Int? {
        var position = content.lowerBound
        for index in 0..<prefix.utf8CodeUnitCount {
            guard position < content.upperBound else { return nil }
            var scalar = UInt32(bytes[position])
            var length = 1
            if scalar == 0x5C, let escape = try? JSONText.escape(bytes, at: position, end: content.upperBound) {
                (scalar, length) = (escape.scalar, escape.length)
            }
            if ignoringCase, (0x41...0x5A).contains(scalar) { scalar |= 0x20 }
            // A static string's storage is immortal, and `index` is below its length.
            guard scalar == UInt32(unsafe prefix.utf8Start[index]) else { return nil }
            position += length
        }
        return position
    }

    /// `text` as a JSON string, in quotes.
    public static func json(_ text: String) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.utf8.count + 2)
        append(text, to: &output)
        return output
    }

    /// Appends `text` to `output` as a JSON string, in quotes.
    public static func append(_ text: String, to output: inout [UInt8]) {
        var text = text
        output.append(JSONText.quote)
        text.withUTF8 { utf8 in
            // The pointer is used within the closure that lends it.
            unsafe appendEscaped(utf8, to: &output)
        }
        output.append(JSONText.quote)
    }

    @unsafe private static func appendEscaped(_ utf8: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
        guard let start = utf8.baseAddress else { return }
        var (plain, index) = (0, 0)
        while true {
            unsafe index += plainPrefix(start + index, utf8.count - index)
            if index == utf8.count { break }
            let byte = unsafe utf8[index]
            index += 1
            guard byte < 0x80 else { continue }
            unsafe output.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[plain..<index - 1]))
            appendEscape(of: byte, to: &output)
            plain = index
        }
        unsafe output.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[plain...]))
    }

    private static func appendEscape(of byte: UInt8, to output: inout [UInt8]) {
        output.append(JSONText.backslash)
        switch byte {
        case JSONText.quote, JSONText.backslash: output.append(byte)
        case 0x0A: output.append(UInt8(ascii: "n"))
        case 0x0D: output.append(UInt8(ascii: "r"))
        case 0x09: output.append(UInt8(ascii: "t"))
        default:
            let digits = Array("0123456789abcdef".utf8)
            output.append(contentsOf: [0x75, 0x30, 0x30, digits[Int(byte >> 4)], digits[Int(byte & 15)]])
        }
    }

    /// A hash of the unescaped text: equal texts have equal hashes within a process. Comparing texts with equal hashes
    /// costs little: long ones are hashed with a seed, so that no client can make many that collide.
    static func hash(_ bytes: Span<UInt8>, _ content: Range<Int>, hasEscapes: Bool) -> Int {
        if hasEscapes {
            let text = self.bytes(bytes, content)
            return hash(text.span, 0..<text.count)
        }
        return hash(bytes, content)
    }

    private static func hash(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Int {
        if text.count > longestUnseeded {
            var hasher = Hasher()
            unsafe bytes.extracting(text).withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
            return hasher.finalize()
        }
        var (hash, index) = (text.count, text.lowerBound)
        while index + 8 <= text.upperBound {
            hash = ByteWord(bytes, at: index).hash(after: hash)
            index += 8
        }
        return ByteWord(bytes, in: index..<text.upperBound).hash(after: hash)
    }

    /// Names of members are shorter.
    private static let longestUnseeded = 32
}

extension ByteWord {
    /// A hash of these bytes and those before them.
    fileprivate func hash(after earlier: Int) -> Int {
        (earlier ^ Int(truncatingIfNeeded: bits)) &* 0x2127_599B_F432_5C37
    }
}

/// Makes untrusted text safe for a message: bounded in length, and printable ASCII only.
enum Sanitized {
    static func text(_ text: String, limit: Int = 64) -> String {
        var result = ""
        for scalar in text.unicodeScalars.prefix(limit) {
            result.unicodeScalars.append((0x20...0x7E).contains(scalar.value) ? scalar : "?")
        }
        return text.unicodeScalars.count > limit ? result + "..." : result
    }
}
