internal import Base

/// The rules for target and host (RFC 9112 §3.2, RFC 3986).
extension HeadRanges {
    /// Splits an origin-form or absolute-form target, whose bytes have already been checked one by one. OPTIONS may
    /// address the server as a whole (`*`, RFC 9112 §3.2.4), which then becomes the path.
    mutating func take(target: HeadRange, of bytes: Span<UInt8>, method: HTTPMethod) throws(HeadFault) {
        if method == .options, bytes.extracting(target.indices).equals("*") { return path = target }
        guard bytes.extracting(target.indices).hasValidEscapes else {
            throw HeadFault("The request target has a % without two hexadecimal digits.")
        }
        var rest = target
        if bytes[Int(target.start)] != .slash {
            rest.start += try Self.schemeLength(bytes.extracting(target.indices))
            authority = HeadRange(start: rest.start, end: rest.start)
            while authority.end < rest.end, !bytes[Int(authority.end)].endsAuthority { authority.end += 1 }
            guard bytes.extracting(authority.indices).isAuthority else {
                throw HeadFault("The request target's host is invalid.")
            }
            rest.start = authority.end
        }
        path = rest
        if let mark = bytes.extracting(rest.indices).firstIndex(of: UInt8(ascii: "?")) {
            path.end = rest.start + UInt32(mark)
            query = HeadRange(start: path.end + 1, end: rest.end)
        }
    }

    private static func schemeLength(_ target: Span<UInt8>) throws(HeadFault) -> UInt32 {
        for (scheme, length) in [("http://", 7), ("https://", 8)] as [(StaticString, Int)]
        where target.count > length && target.extracting(0..<length).equalsIgnoringCase(scheme) {
            return UInt32(length)
        }
        throw HeadFault("The request target is neither a path nor an http address.")
    }

    /// Checks `Host`; the target's own authority, if it has one, takes precedence (RFC 9112 §3.2.2).
    mutating func take(host: HeadRange?, of bytes: Span<UInt8>, version: HTTPVersion) throws(HeadFault) {
        guard let host else {
            if version == .http11 { throw HeadFault("Host is missing.") }
            return
        }
        guard bytes.extracting(host.indices).isAuthority else {
            throw HeadFault("Host is not a valid host name or address.")
        }
        if authority.isEmpty { authority = host }
    }
}

extension UInt8 {
    fileprivate var endsAuthority: Bool { self == .slash || self == UInt8(ascii: "?") }
}

extension Span<UInt8> {
    /// The first index in `range` of a byte that no target may contain; the end of the range if there is none.
    func endOfPlainTarget(in range: Range<Int>) -> Int {
        firstIndex(in: range) { $0.below(0x21) | $0.equal(to: UInt8(ascii: "#")) | $0.equal(to: 0x7f) | $0.nonASCII }
    }

    /// Whether this is a host with an optional port, and no user info: a name, an IPv4 address, or an IP literal in
    /// brackets.
    var isAuthority: Bool {
        var end = 0
        if !isEmpty, self[0] == UInt8(ascii: "[") {
            repeat { end += 1 } while end < count && (self[end].hexValue != nil || self[end].isAddressPunctuation)
            guard end > 2, end < count, self[end] == UInt8(ascii: "]") else { return false }
            end += 1
        } else {
            while end < count, self[end].isHostName { end += 1 }
            guard end > 0, extracting(0..<end).hasValidEscapes else { return false }
        }
        if end == count { return true }
        guard self[end] == .colon else { return false }
        return end + 1 == count || extracting(end + 1..<count).decimalValue.map { $0 <= 65535 } ?? false
    }
}

extension UInt8 {
    fileprivate var isAddressPunctuation: Bool { self == .colon || self == UInt8(ascii: ".") }
}
