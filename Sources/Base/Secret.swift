/// A text that must not reach a log, an error or a client: it prints as `<redacted>`.
///
/// Read it with ``reveal()``, at the one place that needs the bytes.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    /// Wraps `value`.
    public init(_ value: String) { self.value = value }

    /// The text itself.
    public func reveal() -> String { value }

    /// Whether there is no text at all.
    public var isEmpty: Bool { value.isEmpty }

    public var description: String { "<redacted>" }
    public var debugDescription: String { "<redacted>" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
