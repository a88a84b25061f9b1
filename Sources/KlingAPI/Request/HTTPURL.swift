/// An absolute `http` or `https` URL (RFC 9110 section 4.2) without user information and without a fragment.
public struct HTTPURL: Sendable, Hashable {
    /// Why a text is not such a URL. The description is appended to the name of the field.
    public enum Problem: Error, Sendable, Hashable, CustomStringConvertible {
        case scheme, host, userInformation, fragment, port, character, length

        public var description: String {
            switch self {
            case .scheme: "must be an absolute URL that begins with http:// or https://."
            case .host: "has no valid host. Send an absolute URL such as https://shop.example/kling."
            case .userInformation:
                "has a user name or password before the host. Put a token into the path or the query instead, or verify "
                    + "the callbacks' signatures."
            case .fragment: "has a fragment (#). Send the URL without it."
            case .port: "has a port that is not a number from 1 to 65535."
            case .character: "contains a character that is not allowed in a URL. Percent-encode it."
            case .length: "is longer than \(TryOn.maxCallbackURLBytes) bytes. Send a shorter URL."
            }
        }
    }

    /// The URL as written.
    public let text: String
    /// Whether the scheme is `https`.
    public let isSecure: Bool
    /// The host in lower case; an IPv6 address without its brackets.
    public let host: String
    /// Whether the host was written in brackets.
    public let isBracketed: Bool
    /// The port, either explicit or the default of the scheme.
    public let port: Int

    /// Reads `text`.
    public init(_ text: String) throws(Problem) {
        let bytes = Array(text.utf8)
        guard bytes.count <= TryOn.maxCallbackURLBytes else { throw .length }
        guard let scheme = Self.schemeLength(bytes) else { throw .scheme }
        guard bytes.allSatisfy({ Self.allowed[Int($0)] }) else { throw .character }
        guard !bytes.contains(UInt8(ascii: "#")) else { throw .fragment }
        let authority = bytes[scheme...].prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        guard !authority.contains(UInt8(ascii: "@")) else { throw .userInformation }
        self.text = text
        isSecure = scheme == 8
        isBracketed = authority.first == UInt8(ascii: "[")
        let (host, rest) = isBracketed ? try Self.bracketed(authority) : try Self.named(authority)
        self.host = String(decoding: host, as: UTF8.self).lowercased()
        port = try Self.port(rest) ?? (isSecure ? 443 : 80)
    }

    /// The length of the leading `http://` or `https://`; nil if there is none.
    private static func schemeLength(_ bytes: [UInt8]) -> Int? {
        for scheme in ["https://", "http://"] as [StaticString] {
            if let end = JSONString.position(after: scheme, bytes.span, bytes.indices) { return end }
        }
        return nil
    }

    private static func bracketed(
        _ authority: ArraySlice<UInt8>
    ) throws(Problem) -> (ArraySlice<UInt8>, ArraySlice<UInt8>) {
        guard let end = authority.firstIndex(of: UInt8(ascii: "]")) else { throw .host }
        let address = authority[authority.startIndex + 1..<end]
        let isAddress = address.allSatisfy {
            JSONText.hexValue($0) != nil || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".")
        }
        guard isAddress, address.count >= 2 else { throw .host }
        return (address, authority[(end + 1)...])
    }

    private static func named(
        _ authority: ArraySlice<UInt8>
    ) throws(Problem) -> (ArraySlice<UInt8>, ArraySlice<UInt8>) {
        let host = authority.prefix { $0 != UInt8(ascii: ":") }
        guard !host.isEmpty, host.contains(where: { $0 != UInt8(ascii: ".") }),
            host.allSatisfy({ hostCharacters[Int($0)] })
        else { throw .host }
        return (host, authority[host.endIndex...])
    }

    private static func port(_ rest: ArraySlice<UInt8>) throws(Problem) -> Int? {
        guard let colon = rest.first else { return nil }
        guard colon == UInt8(ascii: ":") else { throw .host }
        let digits = rest.dropFirst()
        if digits.isEmpty { return nil }
        guard digits.count <= 5, digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(String(decoding: digits, as: UTF8.self)), (1...65535).contains(port)
        else { throw .port }
        return port
    }

    /// The characters that RFC 3986 allows, and `|`, which receivers use in their queries.
    private static let allowed = table("-._~:/?#[]@!$&'()*+,;=%|")
    private static let hostCharacters = table("-._~")

    private static func table(_ marks: String) -> [Bool] {
        let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        var table = [Bool](repeating: false, count: 256)
        for byte in (letters + marks).utf8 { table[Int(byte)] = true }
        return table
    }
}
