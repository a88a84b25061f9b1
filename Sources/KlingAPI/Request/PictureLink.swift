internal import Base

/// The link of a picture as Kling is sent it.
///
/// Blanks and quotes around it are removed, `//host/...` becomes `https`, scheme and host are in lower case, an
/// international host name is in Punycode, and spaces and characters outside of ASCII are percent-encoded.
public enum PictureLink {
    /// The longest link that is changed, in bytes.
    static let longest = 64 << 10

    /// The link in `text`; nil for any other text.
    public static func cleaned(_ text: String) -> String? {
        let (scheme, rest) = split(text) ?? ("", "")
        guard !scheme.isEmpty else { return nil }
        // Scalars, because a combining mark would make a separator another character.
        let end = rest.unicodeScalars.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        let authority = rest[..<end].unicodeScalars
        let host = authority.lastIndex(of: "@").map { authority.index(after: $0) } ?? authority.startIndex
        return scheme + encoded(rest[..<host]) + Self.host(rest[host..<end]) + encoded(rest[end...])
    }

    /// Whether the JSON string at `content`, which has no escapes, is a link as ``cleaned(_:)`` returns it.
    static func isClean(_ bytes: Span<UInt8>, _ content: Range<Int>) -> Bool {
        let link = bytes.extracting(content)
        let schemes = ["https://", "http://"] as [StaticString]
        guard let scheme = schemes.first(where: { link.extracting(first: $0.utf8CodeUnitCount).equals($0) }),
            endOfPlainRun(link) == link.count
        else { return false }
        let start = scheme.utf8CodeUnitCount
        var (label, end) = (0, start)
        while end < link.count, !endsHost(link[end]) {
            label = link[end] == UInt8(ascii: ".") ? 0 : label + 1
            guard isPlainInHost(link[end]), label <= LinkHost.longestLabel else { return false }
            end += 1
        }
        return start < end && end - start <= 253 && link[start] != UInt8(ascii: ":")
    }

    /// The index of the first byte that needs a closer look.
    private static func endOfPlainRun(_ link: Span<UInt8>) -> Int {
        link.firstIndex(in: link.indices) {
            $0.below(0x21) | $0.equal(to: JSONText.backslash) | $0.equal(to: UInt8(ascii: "'")) | $0.equal(to: 0x7F)
                | $0.nonASCII
        }
    }

    private static func endsHost(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
    }

    /// Whether a plain byte needs no closer look before the path.
    private static func isPlainInHost(_ byte: UInt8) -> Bool {
        byte != UInt8(ascii: "%") && byte != UInt8(ascii: "@") && !(0x41...0x5A).contains(byte)
    }

    /// The link in the JSON string at `content`, cleaned; nil for any other text, which is not copied.
    static func cleaned(_ bytes: Span<UInt8>, _ content: Range<Int>) -> String? {
        guard (2...longest).contains(content.count) else { return nil }
        switch bytes[content.lowerBound] {
        case UInt8(ascii: "/"):
            // A JPEG file in base64 begins with one slash.
            let next = bytes[content.lowerBound + 1]
            guard next == UInt8(ascii: "/") || next == JSONText.backslash else { return nil }
        case UInt8(ascii: "h"), UInt8(ascii: "H"), JSONText.backslash, UInt8(ascii: "'"), 0...0x20, 0x80...0xFF: break
        default: return nil
        }
        return cleaned(JSONString.text(bytes, content))
    }

    /// The scheme and what follows it; nil if the text is no link.
    private static func split(_ text: String) -> (String, Substring)? {
        var link = trimmed(text[...])
        if let quote = link.first, quote == "\"" || quote == "'", link.count > 1, link.last == quote {
            link = trimmed(link.dropFirst().dropLast())
        }
        let start = String(decoding: link.utf8.prefix(8), as: UTF8.self).lowercased().utf8
        for scheme in ["https://", "http://"] where start.starts(with: scheme.utf8) {
            return (scheme, link[link.utf8.index(link.startIndex, offsetBy: scheme.utf8.count)...])
        }
        guard link.hasPrefix("//") else { return nil }
        let rest = link.dropFirst(2)
        // Base64 has no dot.
        return rest.prefix { $0 != "/" && $0 != "?" }.contains(".") ? ("https://", rest) : nil
    }

    private static func trimmed(_ text: Substring) -> Substring {
        func isBlank(_ character: Character) -> Bool { character.isWhitespace || character == "\u{FEFF}" }
        let start = text.drop(while: isBlank)
        return start.lastIndex { !isBlank($0) }.map { start[...$0] } ?? ""
    }

    /// A host and port in lower case and in ASCII.
    private static func host(_ text: Substring) -> String {
        let lower = String(String.UnicodeScalarView(text.unicodeScalars.map(narrowed))).lowercased()
        if lower.utf8.allSatisfy({ $0 < 0x80 }) { return encoded(lower[...]) }
        let dots = ".\u{3002}\u{FF61}".unicodeScalars
        let labels = lower.unicodeScalars.split(omittingEmptySubsequences: false) { dots.contains($0) }
        return labels.map(Substring.init).map { label in
            let name = Substring(label.unicodeScalars.prefix { $0 != ":" })
            guard !name.utf8.allSatisfy({ $0 < 0x80 }), !startsWithMark(name),
                let ascii = Punycode.encoded(String(name))
            else { return encoded(label) }
            return "xn--" + ascii + encoded(label[name.endIndex...])
        }.joined(separator: ".")
    }

    /// A letter, digit, dot or hyphen in the width of East Asian characters as ASCII.
    private static func narrowed(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        case 0xFF0D...0xFF0E, 0xFF10...0xFF19, 0xFF21...0xFF3A, 0xFF41...0xFF5A:
            Unicode.Scalar(scalar.value - 0xFEE0) ?? scalar
        default: scalar
        }
    }

    /// Whether a label begins with a combining mark, which belongs to nothing there (RFC 5891 section 4.2.3.2).
    private static func startsWithMark(_ label: Substring) -> Bool {
        switch label.unicodeScalars.first?.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: true
        default: false
        }
    }

    /// The text with spaces and characters outside of ASCII percent-encoded, and without line breaks and tabs.
    private static func encoded(_ text: Substring) -> String {
        var result = ""
        for scalar in text.unicodeScalars where !["\n", "\r", "\t"].contains(scalar) {
            if (0x21...0x7E).contains(scalar.value) {
                result.unicodeScalars.append(scalar)
            } else {
                result += PercentEncoding.encoded(String(scalar))
            }
        }
        return result
    }
}
