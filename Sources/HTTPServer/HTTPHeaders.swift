internal import Base

/// A request's header fields. Names are case-insensitive; a value is only copied when it is read.
public struct HTTPHeaders: Sendable {
    let head: HTTPRequestHead

    /// How many fields there are.
    public var count: Int { head.ranges.fields.count }

    /// The value of the first field of that name.
    public subscript(name: StaticString) -> String? { firstValue(of: name).map(head.text) }

    /// The values of all fields of that name, in the order received.
    public func values(of name: StaticString) -> [String] {
        var values: [String] = []
        _ = firstValue(of: name) { value, _ in
            values.append(head.text(value))
            return false
        }
        return values
    }

    /// How many fields of that name there are.
    public func count(of name: StaticString) -> Int {
        var count = 0
        _ = firstValue(of: name) { _, _ in
            count += 1
            return false
        }
        return count
    }

    /// Whether there is a field of that name.
    public func contains(_ name: StaticString) -> Bool { firstValue(of: name) != nil }

    /// Whether a field of that name has a value that starts with `prefix`, ignoring the case of ASCII letters.
    public func hasValue(of name: StaticString, startingWith prefix: StaticString) -> Bool {
        let found = firstValue(of: name) { value, bytes in
            let start = bytes.extracting(value.indices).extracting(first: prefix.utf8CodeUnitCount)
            return start.equalsIgnoringCase(prefix)
        }
        return found != nil
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

    /// The first value of a field of that name that `isWanted`, which gets the head's bytes, too.
    @inline(__always)
    private func firstValue(
        of name: StaticString, where isWanted: (HeadRange, Span<UInt8>) -> Bool = { _, _ in true }
    ) -> HeadRange? {
        let bytes = head.bytes
        let all = bytes.span
        for field in head.ranges.fields where field.name.count == name.utf8CodeUnitCount {
            guard all.extracting(field.name.indices).equalsIgnoringCase(name) else { continue }
            if isWanted(field.value, all) { return field.value }
        }
        return nil
    }
}
