/// The grammar of RFC 8259, rule by rule, with an optional byte order mark before it. It also requires escaped surrogates in
/// names to be in pairs.
struct JSONGrammar {
    private var rest: ArraySlice<UInt8>

    /// Whether `text` is JSON in UTF-8.
    static func accepts(_ text: [UInt8]) -> Bool {
        guard String(validating: text, as: UTF8.self) != nil else { return false }
        var grammar = JSONGrammar(rest: text.starts(with: [0xEF, 0xBB, 0xBF]) ? text.dropFirst(3) : text[...])
        return grammar.element() && grammar.rest.isEmpty
    }

    private mutating func takes(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func takes(oneOf characters: String) -> Bool {
        guard let first = rest.first, characters.utf8.contains(first) else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func skipSpace() {
        while takes(oneOf: " \t\r\n") {}
    }

    /// A value with space around it.
    private mutating func element() -> Bool {
        skipSpace()
        defer { skipSpace() }
        switch rest.first {
        case UInt8(ascii: "{"): return list("{", "}") { $0.member() }
        case UInt8(ascii: "["): return list("[", "]") { $0.element() }
        case UInt8(ascii: "\""): return string(isName: false)
        default: return word("true") || word("false") || word("null") || number()
        }
    }

    private mutating func list(
        _ opening: Unicode.Scalar, _ closing: Unicode.Scalar, _ item: (inout JSONGrammar) -> Bool
    ) -> Bool {
        guard takes(opening) else { return false }
        skipSpace()
        if takes(closing) { return true }
        repeat {
            guard item(&self) else { return false }
        } while takes(",")
        return takes(closing)
    }

    private mutating func member() -> Bool {
        skipSpace()
        guard string(isName: true) else { return false }
        skipSpace()
        return takes(":") && element()
    }

    private mutating func word(_ word: String) -> Bool {
        guard rest.starts(with: word.utf8) else { return false }
        rest = rest.dropFirst(word.utf8.count)
        return true
    }

    private mutating func number() -> Bool {
        _ = takes("-")
        guard takes("0") || digits() else { return false }
        if takes("."), !digits() { return false }
        guard takes(oneOf: "eE") else { return true }
        _ = takes(oneOf: "+-")
        return digits()
    }

    private mutating func digits() -> Bool {
        guard takes(oneOf: "0123456789") else { return false }
        while takes(oneOf: "0123456789") {}
        return true
    }

    private mutating func string(isName: Bool) -> Bool {
        guard takes("\"") else { return false }
        while !takes("\"") {
            if takes("\\") {
                guard escape(isName: isName) else { return false }
            } else {
                guard let byte = rest.popFirst(), byte >= 0x20 else { return false }
            }
        }
        return true
    }

    private mutating func escape(isName: Bool) -> Bool {
        if takes(oneOf: "\"\\/bfnrt") { return true }
        guard takes("u"), let unit = codeUnit() else { return false }
        guard UTF16.isSurrogate(unit), isName else { return true }
        guard UTF16.isLeadSurrogate(unit), takes("\\"), takes("u"), let trail = codeUnit() else { return false }
        return UTF16.isTrailSurrogate(trail)
    }

    private mutating func codeUnit() -> UInt16? {
        var digits = ""
        for _ in 0..<4 {
            guard let byte = rest.first, takes(oneOf: "0123456789abcdefABCDEF") else { return nil }
            digits.unicodeScalars.append(Unicode.Scalar(byte))
        }
        return UInt16(digits, radix: 16)
    }
}
