/// The credential in an `Authorization` field, parsed in place (RFC 9110 section 11.4, RFC 6750 section 2.1).
enum BearerCredential {
    /// There is no field, or it is empty.
    case missing
    /// It is not a well-formed bearer credential.
    case malformed
    /// It is one word that could be a key or token, without the scheme.
    case schemeMissing
    /// The range of the key or token.
    case present(Range<Int>)

    /// The longest field value that is read, in bytes.
    static let maxBytes = 4096

    /// Parses a field's value, which has no surrounding spaces.
    init(_ value: Span<UInt8>) {
        guard !value.isEmpty else { self = .missing; return }
        guard value.count <= Self.maxBytes else { self = .malformed; return }
        guard Self.namesBearer(value) else {
            self = Self.isVisible(value) ? .schemeMissing : .malformed
            return
        }
        var start = Self.scheme.count
        while start < value.count, value[start] == UInt8(ascii: " ") { start += 1 }
        guard start < value.count else { self = .missing; return }
        guard start > Self.scheme.count else { self = .malformed; return }
        guard Self.isVisible(value.extracting(start..<value.count)) else { self = .malformed; return }
        self = .present(start..<value.count)
    }

    /// Whether a text can be a key or token.
    static func isKey(_ text: Span<UInt8>) -> Bool { text.count <= maxBytes && isVisible(text) }

    private static let scheme: [UInt8] = Array("bearer".utf8)
    private static let visible: ClosedRange<UInt8> = 0x21...0x7E

    private static func isVisible(_ value: Span<UInt8>) -> Bool {
        for index in value.indices where !visible.contains(value[index]) { return false }
        return true
    }

    private static func namesBearer(_ value: Span<UInt8>) -> Bool {
        guard value.count >= scheme.count else { return false }
        for index in scheme.indices where value[index] | 0x20 != scheme[index] { return false }
        return true
    }
}
