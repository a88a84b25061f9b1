internal import Base
internal import KlingAPI
internal import Logging

/// How to parse a text into a value, and what to say if that fails.
package struct ValueFormat<Value: Sendable>: Sendable {
    /// What is allowed, as the end of a sentence: `a duration such as 500ms, 1s, 30m or 400d`.
    package let allowed: String
    /// Parses a text; `nil` if it is not allowed.
    package let parse: @Sendable (String) -> Value?
}

extension ValueFormat where Value == String {
    static let path = ValueFormat(allowed: "a path") { $0.isEmpty || $0.utf8.contains(0) ? nil : $0 }
    package static let accountName = ValueFormat(allowed: "1 to 64 of a-z, 0-9 and -") { text in
        let bytes = text.utf8
        let isName = bytes.allSatisfy { ASCII.isLowercase($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: "-") }
        return isName && (1...64).contains(bytes.count) && bytes.first != UInt8(ascii: "-") ? text : nil
    }
    static let tenant = word("1 to 64 letters, digits, '.', '_' and '-'", extra: "._-", longest: 64)
    static let model = word("1 to 128 letters, digits, '.', '_', '-', ':' and '/'", extra: "._-:/", longest: 128)
    static let origin = ValueFormat(allowed: "* or an origin such as https://shop.example.com") { text in
        if text == "*" { return text }
        guard let url = BaseURL(text), url.path.isEmpty else { return nil }
        // Browsers omit the scheme's default port.
        let port = url.isSecure ? ":443" : ":80"
        return url.text.hasSuffix(port) ? String(url.text.dropLast(port.count)) : url.text
    }

    private static func word(_ allowed: String, extra: String, longest: Int) -> ValueFormat {
        ValueFormat(allowed: allowed) { text in
            let isWord = text.utf8.allSatisfy { ASCII.isAlphanumeric($0) || extra.utf8.contains($0) }
            return isWord && (1...longest).contains(text.utf8.count) ? text : nil
        }
    }
}

extension ValueFormat where Value == Int {
    /// - Parameter other: another allowed text, which is read elsewhere; for the message.
    static func count(_ range: ClosedRange<Int>, or other: String? = nil) -> ValueFormat {
        let allowed = "a number from \(range.lowerBound) to \(range.upperBound)" + (other.map { ", or \($0)" } ?? "")
        return ValueFormat(allowed: allowed) { text in
            number(text, units: ["": 1]).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    static func bytes(_ range: ClosedRange<Int>) -> ValueFormat {
        let units = ["": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40]
        let allowed = "\(range.lowerBound) to \(range.upperBound) bytes, such as 65536, 32MiB or 2GiB"
        return ValueFormat(allowed: allowed) { text in
            number(text, units: units).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension ValueFormat where Value == Int? {
    static let workers = ValueFormat(allowed: "auto or a number from 1 to 256") { text in
        text == "auto" ? .some(nil) : ValueFormat<Int>.count(1...256).parse(text).map { .some($0) }
    }
}

extension ValueFormat where Value == Duration {
    package static func duration(_ range: ClosedRange<Duration>) -> ValueFormat {
        // Only 0 needs no unit.
        let units = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        let allowed =
            "a duration from \(range.lowerBound.configurationText) to \(range.upperBound.configurationText), "
            + "such as 500ms, 1s, 30m or 400d"
        return ValueFormat(allowed: allowed) { text in
            guard let milliseconds = text == "0" ? 0 : number(text, units: units) else { return nil }
            let duration = Duration.milliseconds(milliseconds)
            return range.contains(duration) ? duration : nil
        }
    }

}

extension Duration {
    /// The duration in the notation of the configuration: `30m`.
    package var configurationText: String {
        let milliseconds = nanoseconds / 1_000_000
        let units = [("d", Int64(86_400_000)), ("h", 3_600_000), ("m", 60_000), ("s", 1000)]
        let unit = units.first { milliseconds >= $0.1 && milliseconds.isMultiple(of: $0.1) }
        if milliseconds == 0 { return "0s" }
        return unit.map { "\(milliseconds / $0.1)\($0.0)" } ?? "\(milliseconds)ms"
    }
}

extension ValueFormat where Value == ListenAddress {
    static let listenAddress = ValueFormat(
        allowed: "ADDRESS:PORT, [::]:PORT or unix:/path", parse: { ListenAddress($0) })
}

extension ValueFormat where Value == BaseURL {
    static let url = ValueFormat(
        allowed: "an http or https URL without user info, query and fragment", parse: { BaseURL($0) })
}

extension ValueFormat where Value == CIDR {
    static let addressRange = ValueFormat(
        allowed: "an address or a range such as 10.0.0.0/8 or fd00::/8, without bits set after the prefix",
        parse: { CIDR($0) })
}

extension ValueFormat where Value == StoreLocation {
    static let store = ValueFormat(
        allowed: "sqlite:PATH, or postgres://USER@HOST/DATABASE", parse: { StoreLocation($0) })
}

extension ValueFormat where Value == Logger.Level {
    static let level = ValueFormat(
        allowed: Logger.Level.allCases.map(\.rawValue).joined(separator: ", "),
        parse: { Logger.Level(rawValue: $0) })
}

extension ValueFormat where Value: RawRepresentable<String> & CaseIterable {
    /// One of a few words.
    static var word: ValueFormat {
        ValueFormat(
            allowed: Value.allCases.map(\.rawValue).joined(separator: ", "), parse: { Value(rawValue: $0) })
    }
}

/// The formats of secrets. The text itself is never part of a message.
extension ValueFormat where Value == Secret {
    static let anySecret = ValueFormat(allowed: "a text") { Secret($0) }
    static let credential = visible(1...512)
    static let bearerKey = visible(8...256)
    static let masterKey = visible(32...512)
    static let webhookSecret = ValueFormat(allowed: "whsec_ followed by base64") { text in
        text.hasPrefix("whsec_") && visible(20...512).parse(text) != nil ? Secret(text) : nil
    }
    /// A secret of this gateway, which signs with it.
    static let signingSecret = ValueFormat(allowed: "whsec_ followed by base64") { text in
        let secret = Secret(text)
        return visible(20...512).parse(text) != nil && WebhookSignature(secret) != nil ? secret : nil
    }
    /// The URL may contain a token.
    static let webhookURL = ValueFormat(allowed: "an http or https URL without user info and fragment") { text in
        (try? HTTPURL(text)) == nil ? nil : Secret(text)
    }
    static let proxy = ValueFormat(
        allowed: "scheme://[user:password@]host:port, the scheme http, https, socks5 or socks5h"
    ) { text in
        let parts = text.split(separator: "://", maxSplits: 1)
        let hasScheme = parts.count == 2 && ["http", "https", "socks5", "socks5h"].contains(parts[0])
        return hasScheme && text.utf8.allSatisfy(ASCII.isVisible) ? Secret(text) : nil
    }

    private static func visible(_ lengths: ClosedRange<Int>) -> ValueFormat {
        ValueFormat(allowed: "\(lengths.lowerBound) to \(lengths.upperBound) visible ASCII characters") { text in
            lengths.contains(text.utf8.count) && text.utf8.allSatisfy(ASCII.isVisible) ? Secret(text) : nil
        }
    }
}

/// Parses digits and a unit; `nil` for anything else, and on overflow.
private func number(_ text: String, units: [String: Int]) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty, let number = Int(digits), let unit = units[String(text.dropFirst(digits.count))]
    else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit)
    return overflow ? nil : product
}
