/// A string that must not reach a log, an error or a client: it prints as `<redacted>`.
///
/// Call ``reveal()`` only where the bytes are needed.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    /// Wraps `value`.
    public init(_ value: String) { self.value = value }

    /// The string itself.
    public func reveal() -> String { value }

    /// Whether the string is empty.
    public var isEmpty: Bool { value.isEmpty }

    public var description: String { "<redacted>" }
    public var debugDescription: String { "<redacted>" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
