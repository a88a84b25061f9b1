/// The kind of a JSON value.
public enum JSONKind: Sendable, Hashable {
    case object, array, string, number, bool, null

    /// The kind in words, with its article.
    public var words: String {
        switch self {
        case .object: "an object"
        case .array: "an array"
        case .string: "a string"
        case .number: "a number"
        case .bool: "a Boolean"
        case .null: "null"
        }
    }
}

/// A member of an object, or an element of an array (with an empty name), as ranges of the JSON text.
public struct JSONMember: Sendable {
    /// The name as written, without its quotes.
    public internal(set) var name: Range<Int> = 0..<0
    /// The value; a string includes its quotes.
    public internal(set) var value: Range<Int> = 0..<0
    /// The kind of the value.
    public internal(set) var kind = JSONKind.null
    /// Whether the name contains escapes.
    public internal(set) var nameHasEscapes = false
    /// Whether the value is a string that contains escapes.
    public internal(set) var valueHasEscapes = false
    /// Whether the value is a string with half a surrogate pair, which is not text.
    public internal(set) var hasLoneSurrogate = false
    /// The end of the base64 letters at the start of a long string, as far as they were looked at.
    var lettersEnd = 0
    /// A seeded hash of the unescaped name.
    var nameHash = 0

    /// The name with its quotes.
    var quotedName: Range<Int> { name.lowerBound - 1..<name.upperBound + 1 }
    /// Whether there is nothing but a colon between name and value.
    var isCompact: Bool { name.upperBound + 2 == value.lowerBound }
    /// The content of a string value, without its quotes.
    public var content: Range<Int> { value.lowerBound + 1..<value.upperBound - 1 }
    /// Whether the value is null or an empty string.
    public var isNullOrEmpty: Bool { kind == .null || (kind == .string && value.count == 2) }

    /// Whether the unescaped name is `name`.
    func isNamed(_ name: StaticString, _ bytes: Span<UInt8>) -> Bool {
        guard nameHasEscapes else { return bytes.equals(self.name, name) }
        return JSONString.position(after: name, bytes, self.name, ignoringCase: false) == self.name.upperBound
    }
}

/// Why the scanner refuses a text.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The byte offset of the error.
    public let offset: Int
    /// What was expected there.
    public let expected: String
    /// What was found instead, as bounded, printable text.
    public let found: String

    public var description: String { "at byte \(offset): expected \(expected), found \(found)" }
}
