/// An `http` or `https` URL that paths are added to, without user info, query, fragment or trailing slash.
public struct BaseURL: Sendable, Hashable, CustomStringConvertible {
    /// The whole URL, without a trailing slash.
    public let text: String
    /// Whether it is `https`.
    public let isSecure: Bool
    /// The host's name or address, in lower case; an IPv6 address without its brackets.
    public let host: String
    /// The port; the scheme's default if the URL has none.
    public let port: UInt16
    /// What follows the authority: empty, or with a leading and without a trailing slash.
    public let path: String

    /// Parses an absolute URL; `nil` if `text` is not a URL of this form.
    public init?(_ text: String) {
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !Self.forbidden.contains($0) }),
            let separator = text.firstRange(of: "://")
        else { return nil }
        switch text[..<separator.lowerBound].lowercased() {
        case "http": isSecure = false
        case "https": isSecure = true
        default: return nil
        }
        let rest = text[separator.upperBound...]
        let end = rest.firstIndex(of: "/") ?? rest.endIndex
        guard let authority = Self.authority(rest[..<end]) else { return nil }
        host = authority.host
        port = authority.port ?? (isSecure ? 443 : 80)
        var path = rest[end...]
        while path.last == "/" { path.removeLast() }
        self.path = String(path)
        self.text = (isSecure ? "https://" : "http://") + rest[..<end].lowercased() + path
    }

    /// Creates an `https` URL from a host name that is known to be valid.
    public init(host: StaticString) {
        self.host = host.description
        text = "https://" + self.host
        isSecure = true
        port = 443
        path = ""
    }

    /// `"`, `#`, `<`, `>`, `?`, `@`, `\`, `^`, `` ` ``, `{`, `|`, `}`.
    private static let forbidden = Set("\"#<>?@\\^`{|}".utf8)

    private static func authority(_ text: Substring) -> (host: String, port: UInt16?)? {
        var host = text
        var port: UInt16?
        if let colon = text.lastIndex(of: ":"), text.last != "]" {
            let digits = text[text.index(after: colon)...]
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt16(digits), number > 0
            else { return nil }
            port = number
            host = text[..<colon]
        }
        if host.first == "[", host.last == "]" {
            let inner = String(host.dropFirst().dropLast())
            return IPAddress(inner)?.family == .v6 ? (inner.lowercased(), port) : nil
        }
        return isName(host) ? (host.lowercased(), port) : nil
    }

    private static func isName(_ host: Substring) -> Bool {
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        return host.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy {
                        ASCII.isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                    }
            }
    }

    public var description: String { text }
}
