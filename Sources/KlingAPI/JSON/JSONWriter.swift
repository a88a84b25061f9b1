internal import Base

/// Builds JSON as bytes, member by member, without a tree.
public struct JSONWriter: Sendable {
    /// The bytes written so far.
    public private(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// Reserves capacity for about `capacity` bytes.
    public init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    /// An object with the members that `body` writes.
    public static func object(capacity: Int = 256, _ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter(capacity: capacity)
        writer.object(body)
        return writer.bytes
    }

    /// Writes an object, as an element or as the outermost value.
    public mutating func object(_ body: (inout JSONWriter) -> Void) {
        nest(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    /// Writes an array, as an element or as the outermost value.
    public mutating func array(_ body: (inout JSONWriter) -> Void) {
        nest(UInt8(ascii: "["), UInt8(ascii: "]"), body)
    }

    /// Writes a member that is an object.
    public mutating func object(_ name: StaticString, _ body: (inout JSONWriter) -> Void) {
        self.name(name)
        object(body)
    }

    /// Writes a member that is an array.
    public mutating func array(_ name: StaticString, _ body: (inout JSONWriter) -> Void) {
        self.name(name)
        array(body)
    }

    /// Writes a member that is a string.
    public mutating func member(_ name: StaticString, _ text: String) {
        self.name(name)
        string(text)
    }

    /// Writes a member that is a string, if there is one.
    public mutating func member(_ name: StaticString, ifPresent text: String?) {
        if let text { member(name, text) }
    }

    /// Writes a member that is an integer.
    public mutating func member(_ name: StaticString, _ number: Int) {
        self.name(name)
        integer(number)
    }

    /// Writes a member that is a Boolean.
    public mutating func member(_ name: StaticString, _ value: Bool) {
        self.name(name)
        raw(value ? "true" : "false")
    }

    /// Writes a member that is a string, or null.
    public mutating func member(_ name: StaticString, orNull text: String?) {
        self.name(name)
        if let text { string(text) } else { raw("null") }
    }

    /// Writes a member that is an integer, or null.
    public mutating func member(_ name: StaticString, numberOrNull number: Int?) {
        self.name(name)
        if let number { integer(number) } else { raw("null") }
    }

    /// Writes a member whose value is already JSON.
    public mutating func member(_ name: StaticString, json: some Collection<UInt8>) {
        self.name(name)
        self.json(json)
    }

    /// Writes a string as an element.
    public mutating func string(_ text: String) {
        separate()
        JSONString.append(text, to: &bytes)
    }

    /// Writes an integer as an element.
    public mutating func integer(_ number: Int) {
        separate()
        bytes.append(contentsOf: String(number).utf8)
    }

    /// Writes JSON as an element.
    public mutating func json(_ json: some Collection<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
    }

    /// Writes members that are copied from JSON, from the quote before the first name to the end of the last value.
    mutating func members(copied json: Span<UInt8>) {
        separate()
        append(json)
    }

    /// Writes JSON as an element.
    mutating func json(_ json: Span<UInt8>) {
        separate()
        append(json)
    }

    private mutating func append(_ span: Span<UInt8>) {
        // The pointer is used within the closure that lends it.
        unsafe span.withUnsafeBytes { unsafe bytes.append(copying: $0) }
    }

    /// Writes a name that is copied from JSON, with its quotes.
    mutating func name(copied json: Span<UInt8>) {
        separate()
        append(json)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes a name that needs no escapes.
    private mutating func name(_ name: StaticString) {
        separate()
        bytes.append(JSONText.quote)
        bytes.append(name)
        bytes.append(JSONText.quote)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    private mutating func raw(_ text: StaticString) {
        separate()
        bytes.append(text)
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func nest(_ opening: UInt8, _ closing: UInt8, _ body: (inout JSONWriter) -> Void) {
        separate()
        bytes.append(opening)
        needsComma = false
        body(&self)
        bytes.append(closing)
        needsComma = true
    }
}
