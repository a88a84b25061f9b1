internal import Base

/// How a request's body is delimited (RFC 9112 §6.3).
enum BodyFraming: Hashable, Sendable {
    case none
    case length(Int)
    case chunked
}

/// What a head as a whole says: target, host, body, connection. Anything that two parsers could interpret differently
/// is a fault.
struct MessageRules: Hashable, Sendable {
    /// How the body is delimited.
    private(set) var framing = BodyFraming.none
    /// Whether the client wants to reuse the connection (RFC 9112 §9.3).
    private(set) var keepsAlive: Bool
    /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1).
    private(set) var expectsContinue = false

    /// The fields that these rules use, as received.
    private struct Found {
        var host: HeadRange?
        var contentLength: HeadRange?
        var transferCoding: HeadRange?
        var expectations: [HeadRange] = []
        var wantsClose = false
        var wantsKeepAlive = false
    }

    /// Checks a head whose lines are valid, and sets the path, query and authority of `ranges`.
    init(
        _ bytes: Span<UInt8>, target: HeadRange, method: HTTPMethod, version: HTTPVersion, _ ranges: inout HeadRanges
    ) throws(HeadFault) {
        keepsAlive = version == .http11
        try ranges.take(target: target, of: bytes, method: method)
        let found = try Self.find(bytes, ranges.fields)
        try ranges.take(host: found.host, of: bytes, version: version)
        try setFraming(bytes, found, version: version)
        keepsAlive = !found.wantsClose && (version == .http11 || found.wantsKeepAlive)
        if method == .unknown { throw HeadFault(501, "The request's method is not supported.") }
        if version == .http11 { try setExpectation(bytes, found) }
    }

    private static func find(_ bytes: Span<UInt8>, _ fields: [HeadRanges.Field]) throws(HeadFault) -> Found {
        var found = Found()
        for field in fields {
            let name = bytes.extracting(field.name.indices)
            switch name.count {
            case 4 where name.equalsIgnoringCase("host"):
                try once(&found.host, field.value, "Host")
            case 6 where name.equalsIgnoringCase("expect"):
                found.expectations.append(field.value)
            case 10 where name.equalsIgnoringCase("connection"):
                bytes.extracting(field.value.indices).forEachListed { option in
                    if option.equalsIgnoringCase("close") { found.wantsClose = true }
                    if option.equalsIgnoringCase("keep-alive") { found.wantsKeepAlive = true }
                }
            case 14 where name.equalsIgnoringCase("content-length"):
                try once(&found.contentLength, field.value, "Content-Length")
            case 17 where name.equalsIgnoringCase("transfer-encoding"):
                try once(&found.transferCoding, field.value, "Transfer-Encoding")
            default: break
            }
        }
        return found
    }

    private static func once(
        _ place: inout HeadRange?, _ value: HeadRange, _ name: StaticString
    ) throws(HeadFault) {
        guard place == nil else { throw HeadFault("\(name) is repeated.") }
        place = value
    }

    private mutating func setFraming(
        _ bytes: Span<UInt8>, _ found: Found, version: HTTPVersion
    ) throws(HeadFault) {
        if let coding = found.transferCoding {
            guard found.contentLength == nil else {
                throw HeadFault("The request has both Content-Length and Transfer-Encoding.")
            }
            guard version == .http11 else { throw HeadFault("Transfer-Encoding is not allowed in HTTP/1.0.") }
            try Self.check(coding: bytes.extracting(coding.indices))
            framing = .chunked
        } else if let length = found.contentLength {
            guard let count = bytes.extracting(length.indices).decimalValue else {
                throw HeadFault("Content-Length is not a number of bytes.")
            }
            framing = count == 0 ? .none : .length(count)
        }
    }

    /// Checks that the coding is `chunked` and nothing else. A list in which `chunked` is not last has no end that can
    /// be found (RFC 9112 §6.3); other codings are merely not implemented (§6.1).
    private static func check(coding: Span<UInt8>) throws(HeadFault) {
        var count = 0
        var chunkedAt: [Int] = []
        var isValid = !coding.isEmpty
        coding.forEachListed { item in
            if item.equalsIgnoringCase("chunked") { chunkedAt.append(count) }
            isValid = isValid && item.isToken
            count += 1
        }
        guard isValid, chunkedAt.allSatisfy({ $0 == count - 1 }) else {
            throw HeadFault("Transfer-Encoding is not a list of codings that ends in chunked.")
        }
        if count != 1 || chunkedAt.isEmpty { throw HeadFault(501, "The only supported transfer coding is chunked.") }
    }

    private mutating func setExpectation(_ bytes: Span<UInt8>, _ found: Found) throws(HeadFault) {
        for expectation in found.expectations {
            guard bytes.extracting(expectation.indices).equalsIgnoringCase("100-continue") else {
                throw HeadFault(417, "The only supported expectation is 100-continue.")
            }
            expectsContinue = framing != .none
        }
    }
}

extension Span<UInt8> {
    /// Whether there is at least one byte, and a token may contain all of them.
    var isToken: Bool {
        for index in 0..<count where !self[index].isToken { return false }
        return !isEmpty
    }

    /// Whether a field value may contain all of these bytes.
    var isFieldValue: Bool {
        var start = 0
        while true {
            start = endOfPlainValue(in: start..<count)
            if start == count { return true }
            guard self[start].isFieldValue else { return false }
            start += 1
        }
    }

    /// The first index in `range` of a byte that no field value may contain, or of a tab; the end of the range if there
    /// is none.
    func endOfPlainValue(in range: Range<Int>) -> Int {
        firstIndex(in: range) { $0.below(.space) | $0.equal(to: 0x7f) }
    }
}
