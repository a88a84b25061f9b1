/// A request's head as received: one block of bytes, and the ranges of its parts. Strings are only made on access.
public final class HTTPRequestHead: Sendable {
    /// The method.
    public let method: HTTPMethod
    /// The version.
    public let version: HTTPVersion
    let bytes: [UInt8]
    let ranges: HeadRanges

    init(method: HTTPMethod, version: HTTPVersion, bytes: [UInt8], ranges: HeadRanges) {
        self.method = method
        self.version = version
        self.bytes = bytes
        self.ranges = ranges
    }

    /// The raw path of the target: it begins with `/` (or is `*`), is ASCII without controls, and each `%` has two hex
    /// digits.
    public var path: String { ranges.path.isEmpty ? "/" : text(ranges.path) }

    /// The raw query: what follows the target's first `?`; `nil` without one.
    public var query: String? { ranges.query.map(text) }

    /// The host that the client wants to reach (`host`, `host:port`): the authority of an absolute-form target, else
    /// `Host`. Empty if an HTTP/1.0 client named no host.
    public var authority: String { text(ranges.authority) }

    /// The header fields.
    public var headers: HTTPHeaders { HTTPHeaders(head: self) }

    /// Calls `body` with the raw path's bytes.
    public func withPath<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        if ranges.path.isEmpty { return body([.slash].span) }
        let bytes = bytes
        let all = bytes.span
        return body(all.extracting(ranges.path.indices))
    }

    /// Calls `body` with the raw query's bytes, or with `nil` without a query.
    public func withQuery<Result>(_ body: (Span<UInt8>?) -> Result) -> Result {
        guard let query = ranges.query else { return body(nil) }
        let bytes = bytes
        let all = bytes.span
        return body(all.extracting(query.indices))
    }

    func text(_ range: HeadRange) -> String { String(decoding: bytes[range.indices], as: UTF8.self) }
}

/// A range of a head, in half the space of `Range<Int>`: heads are far below 4 GiB.
struct HeadRange: Hashable, Sendable {
    var start: UInt32 = 0
    var end: UInt32 = 0

    var isEmpty: Bool { start == end }
    var count: Int { Int(end - start) }
    var indices: Range<Int> { Int(start)..<Int(end) }
}

extension HeadRange {
    init(_ indices: Range<Int>) { self.init(start: UInt32(indices.lowerBound), end: UInt32(indices.upperBound)) }
}

/// The ranges of a head's parts.
struct HeadRanges: Hashable, Sendable {
    /// One header field; the value excludes the white space around it.
    struct Field: Hashable, Sendable {
        var name = HeadRange()
        var value = HeadRange()
    }

    var path = HeadRange()
    var query: HeadRange?
    var authority = HeadRange()
    var fields: [Field] = []
}
