/// A request's header fields. Names are case-insensitive; a value is only copied when it is read.
public struct HTTPHeaders: Sendable {
    let head: HTTPRequestHead

    /// How many fields there are.
    public var count: Int { head.ranges.fields.count }

    /// The value of the first field of that name.
    public subscript(name: StaticString) -> String? { firstValue(of: name).map(head.text) }

    /// The values of all fields of that name, in the order received.
    public func values(of name: StaticString) -> [String] {
        head.ranges.fields.filter { matches($0, name) }.map { head.text($0.value) }
    }

    /// How many fields of that name there are.
    public func count(of name: StaticString) -> Int {
        head.ranges.fields.count { matches($0, name) }
    }

    /// Whether there is a field of that name.
    public func contains(_ name: StaticString) -> Bool { firstValue(of: name) != nil }

    /// Whether a field of that name has a value that starts with `prefix`, ignoring the case of ASCII letters.
    public func hasValue(of name: StaticString, startingWith prefix: StaticString) -> Bool {
        let bytes = head.bytes
        let all = bytes.span
        return head.ranges.fields.contains { field in
            guard field.value.count >= prefix.utf8CodeUnitCount, matches(field, name) else { return false }
            let start = Int(field.value.start)
            return all.extracting(start..<start + prefix.utf8CodeUnitCount).equalsIgnoringCase(prefix)
        }
    }

    /// Calls `body` with the value of the first field of that name, or with `nil` if there is none.
    public func withValue<Result>(of name: StaticString, _ body: (Span<UInt8>?) -> Result) -> Result {
        guard let value = firstValue(of: name) else { return body(nil) }
        let bytes = head.bytes
        let all = bytes.span
        return body(all.extracting(value.indices))
    }

    /// Calls `body` with each field, in the order received.
    public func forEach(_ body: (_ name: String, _ value: String) -> Void) {
        for field in head.ranges.fields { body(head.text(field.name), head.text(field.value)) }
    }

    private func firstValue(of name: StaticString) -> HeadRange? {
        for field in head.ranges.fields where matches(field, name) { return field.value }
        return nil
    }

    private func matches(_ field: HeadRanges.Field, _ name: StaticString) -> Bool {
        guard field.name.count == name.utf8CodeUnitCount else { return false }
        let bytes = head.bytes
        let all = bytes.span
        return all.extracting(field.name.indices).equalsIgnoringCase(name)
    }
}
