/// The value of a header field such as `Content-Type` or `Content-Disposition`: a word, and the parameters after it
/// (RFC 9110 section 5.6.6, RFC 6266 section 4.1).
struct FieldParameters: Sendable {
    /// The word before the first `;`, in lower case.
    let word: String

    /// The parameters in order, with their names in lower case. A quoted value is stored without its quotes and without
    /// backslashes that escape a quote or a backslash. All other backslashes are literal, as in browsers. A file name
    /// may contain bare quotes and end in a backslash, because some clients don't escape file names.
    private let parameters: [(name: String, value: [UInt8])]

    /// Parses a value; nil if it is malformed, or names a parameter twice.
    init?(_ value: some Collection<UInt8>) {
        var reader = Reader(rest: Array(value)[...])
        reader.skipWhitespace()
        let word = reader.take { $0.isTokenByte || $0 == UInt8(ascii: "/") }
        guard !word.isEmpty else { return nil }
        self.word = String(decoding: word, as: UTF8.self).lowercased()
        var parameters: [(name: String, value: [UInt8])] = []
        while true {
            reader.skipWhitespace()
            if reader.rest.isEmpty { break }
            guard reader.takes(UInt8(ascii: ";")) else { return nil }
            reader.skipWhitespace()
            if reader.rest.isEmpty || reader.rest.first == UInt8(ascii: ";") { continue }
            guard let parameter = reader.parameter(), !parameters.contains(where: { $0.name == parameter.name }) else {
                return nil
            }
            parameters.append(parameter)
        }
        self.parameters = parameters
    }

    /// The value of the parameter with this name, which is in lower case.
    subscript(name: String) -> [UInt8]? { parameters.first { $0.name == name }?.value }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func skipWhitespace() { rest = rest.drop { $0 == 0x20 || $0 == 0x09 } }

        mutating func take(while isTaken: (UInt8) -> Bool) -> [UInt8] {
            let taken = rest.prefix(while: isTaken)
            rest = rest[taken.endIndex...]
            return Array(taken)
        }

        mutating func takes(_ byte: UInt8) -> Bool {
            guard rest.first == byte else { return false }
            rest = rest.dropFirst()
            return true
        }

        mutating func parameter() -> (name: String, value: [UInt8])? {
            let name = take { $0.isTokenByte }
            guard !name.isEmpty, takes(UInt8(ascii: "=")) else { return nil }
            let word = String(decoding: name, as: UTF8.self).lowercased()
            let isQuoted = rest.first == UInt8(ascii: "\"")
            guard let value = isQuoted ? quoted(isFileName: word == "filename") : token() else { return nil }
            return (word, value)
        }

        private mutating func token() -> [UInt8]? {
            let value = take { $0.isTokenByte }
            return value.isEmpty ? nil : value
        }

        private mutating func quoted(isFileName: Bool) -> [UInt8]? {
            var value: [UInt8] = []
            rest = rest.dropFirst()
            while let byte = rest.first {
                rest = rest.dropFirst()
                if byte == UInt8(ascii: "\""), !isFileName || isAtEnd { return value }
                if isFileName, byte == UInt8(ascii: "\\"), isQuoteLast {
                    rest = rest.dropFirst()
                    return value + [byte]
                }
                // A path from a browser may have backslashes that escape nothing.
                if byte == UInt8(ascii: "\\"), let next = rest.first, next == byte || next == UInt8(ascii: "\"") {
                    rest = rest.dropFirst()
                    value.append(next)
                } else {
                    value.append(byte)
                }
            }
            return nil
        }

        /// Whether nothing but another parameter can follow.
        private var isAtEnd: Bool {
            let next = rest.drop { $0 == 0x20 || $0 == 0x09 }.first
            return next == nil || next == UInt8(ascii: ";")
        }

        /// Whether a quote follows after which only the end or `name=` comes, so that it ends a file name.
        private var isQuoteLast: Bool {
            guard rest.first == UInt8(ascii: "\"") else { return false }
            let tail = rest.dropFirst().drop { $0 == 0x20 || $0 == 0x09 }
            if tail.isEmpty { return true }
            guard tail.first == UInt8(ascii: ";") else { return false }
            return tail.dropFirst().drop { $0 == 0x20 || $0 == 0x09 }.starts(with: "name=".utf8)
        }
    }
}

extension UInt8 {
    /// Whether the byte may occur in a token (RFC 9110 section 5.6.2).
    var isTokenByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: Self.tokenMarks.contains(self)
        }
    }

    private static let tokenMarks = Array("!#$%&'*+-.^_`|~".utf8)
}
