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
        case .bool: "a truth value"
        case .null: "null"
        }
    }
}

/// One member of an object, or one element of an array (whose name is empty), as ranges of the text it stands in.
public struct JSONMember: Sendable {
    /// The name as it is written, between its quotes.
    public internal(set) var name: Range<Int> = 0..<0
    /// The value, a string with its quotes.
    public internal(set) var value: Range<Int> = 0..<0
    /// What the value is.
    public internal(set) var kind = JSONKind.null
    /// Whether the name is written with escapes.
    public internal(set) var nameHasEscapes = false
    /// Whether the value is a string that is written with escapes.
    public internal(set) var valueHasEscapes = false
    /// A seeded hash of the unescaped name.
    var nameHash = 0

    /// The text of a string value between its quotes.
    public var content: Range<Int> { value.lowerBound + 1..<value.upperBound - 1 }
    /// Whether the value is null, or a string without text.
    public var isNullOrEmpty: Bool { kind == .null || (kind == .string && value.count == 2) }
}

/// Why a text is not the JSON that was asked for.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// How many bytes come before the place.
    public let offset: Int
    /// What would have been right there.
    public let expected: String
    /// What was there instead: bounded and printable.
    public let found: String

    public var description: String { "at byte \(offset): expected \(expected), found \(found)" }
}
