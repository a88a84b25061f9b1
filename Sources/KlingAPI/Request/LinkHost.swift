internal import Base

/// The host of a link, as the URL standard reads it.
public enum LinkHost {
    /// The host in lower case: an IPv6 address without its brackets, and a name without dots at its end. Nil if
    /// the text is not an `http` or `https` URL, or has no host.
    public static func of(_ link: String) -> String? {
        let start = link.prefix(8).lowercased()
        guard let scheme = ["https://", "http://"].first(where: start.hasPrefix) else { return nil }
        var host = link.dropFirst(scheme.count).prefix { !"/?#\\".contains($0) }
        if let end = host.lastIndex(of: "@") { host = host[host.index(after: end)...] }
        if host.hasPrefix("[") {
            host = host.dropFirst().prefix { $0 != "]" }
        } else {
            host = host.prefix { $0 != ":" }
            while host.last == "." { host.removeLast() }
        }
        return host.isEmpty ? nil : host.lowercased()
    }

    /// Whether a host can only be reached from its own network: an address outside the public internet, in any
    /// notation, or a name that only a local network knows. Names are not resolved.
    public static func isLocal(_ host: String) -> Bool {
        if let address = address(host) { return !address.isPublic }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count == 1 || labels.last.map { localDomains.contains($0) } ?? false
    }

    /// Domains that are never in the public DNS (RFC 6761, RFC 6762, and ICANN's resolution on `.internal`).
    private static let localDomains: Set<Substring> = ["localhost", "local", "internal"]

    /// Parses a host that is an address; nil for a name.
    static func address(_ host: String) -> IPAddress? { host.contains(":") ? IPAddress(host) : v4(host) }

    /// Parses one to four numbers separated by dots. The last one stands for all remaining bytes.
    private static func v4(_ host: String) -> IPAddress? {
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false).map(number)
        guard numbers.count <= 4, let last = numbers.last ?? nil, last >> (8 * (5 - numbers.count)) == 0 else {
            return nil
        }
        var bits = last
        for (index, number) in numbers.dropLast().enumerated() {
            guard let number, number < 256 else { return nil }
            bits |= number << (8 * (3 - index))
        }
        return IPAddress(v4: UInt32(bits))
    }

    /// Parses a decimal, octal (`0177`) or hexadecimal (`0x7f`) number.
    private static func number(_ text: Substring) -> UInt64? {
        let isHex = text.hasPrefix("0x")
        let isOctal = !isHex && text.count > 1 && text.hasPrefix("0")
        let digits = isHex ? text.dropFirst(2) : text
        if isHex, digits.isEmpty { return 0 }
        guard digits.first?.isHexDigit == true else { return nil }
        return UInt64(digits, radix: isHex ? 16 : isOctal ? 8 : 10)
    }
}

extension LinkHost {
    /// What is wrong with the host of a cleaned link, as the end of a sentence; nil if nothing is.
    static func problem(of link: String) -> String? {
        guard let host = of(link) else { return "is a URL without a host. Send the whole URL." }
        if host.contains(":") { return nil }
        if host.utf8.count > 253 || host.split(separator: ".").contains(where: { $0.utf8.count > longestLabel }) {
            return "is a URL whose host name is too long: \(longestLabel) characters between two dots, and 253 in all, "
                + "are allowed, in Punycode where it is international. Check the URL."
        }
        // Cleaning leaves a label with such characters percent-encoded.
        guard host.contains("%") else { return nil }
        return "is a URL whose host name has characters that are not allowed in one. Check the URL."
    }

    /// The longest part of a host name between two dots, in bytes (RFC 1035 section 2.3.4).
    static let longestLabel = 63
}
