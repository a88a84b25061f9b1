internal import Base

/// The header fields of an answer, in the order received. Names compare without case (RFC 9110 §5.1).
///
/// They are kept as the received bytes, and become strings only when they are read.
public struct HTTPClientHeaders: Sendable, Sequence {
    /// One field.
    public struct Field: Sendable, Hashable {
        public let name: String
        public let value: String
    }

    /// Where a field is in the bytes.
    struct Place {
        var name: Range<Int>
        var value: Range<Int>
    }

    private(set) var bytes: [UInt8] = []
    private(set) var places: [Place] = []

    /// The value of the first field called `name`; bytes that are not UTF-8 read as U+FFFD.
    public subscript(name: String) -> String? {
        let wanted = name.utf8
        let place = places.first { place in
            place.name.count == wanted.count
                && zip(bytes[place.name], wanted).allSatisfy { $0.lowercased == $1.lowercased }
        }
        return place.map { text($0.value) }
    }

    /// Whether their memory is worth keeping for other fields.
    var isSmall: Bool { bytes.capacity <= 4 << 10 && places.capacity <= 64 }

    /// How many fields there are.
    public var count: Int { places.count }

    public func makeIterator() -> AnyIterator<Field> {
        var rest = places.makeIterator()
        return AnyIterator { rest.next().map { Field(name: text($0.name), value: text($0.value)) } }
    }

    /// Adds a field line, including its line end. A line without a name is skipped.
    mutating func append(line: UnsafeRawBufferPointer) {
        guard let colon = unsafe firstIndex(of: 0x3a, in: line), colon > 0 else { return }
        // Servers must not put blanks before the colon; if one does, they are not part of the name.
        let name = unsafe Self.trimmed(0..<colon, of: line)
        let value = unsafe Self.trimmed(colon + 1..<line.count, of: line)
        let start = bytes.count
        unsafe bytes.append(copying: line)
        places.append(
            Place(
                name: start + name.lowerBound..<start + name.upperBound,
                value: start + value.lowerBound..<start + value.upperBound))
    }

    /// Adds a line that continues the value of the last field (`obs-fold`, RFC 9112 §5.2), after a space.
    /// - Returns: false if there is no field yet.
    mutating func unfold(line: UnsafeRawBufferPointer) -> Bool {
        guard let last = places.indices.last else { return false }
        bytes.removeSubrange(places[last].value.upperBound...)
        bytes.append(UInt8(ascii: " "))
        unsafe bytes.append(contentsOf: line[Self.trimmed(0..<line.count, of: line)])
        places[last].value = places[last].value.lowerBound..<bytes.count
        return true
    }

    private static func trimmed(_ range: Range<Int>, of line: UnsafeRawBufferPointer) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, unsafe isSpace(line[start]) { start += 1 }
        while start < end, unsafe isSpace(line[end - 1]) { end -= 1 }
        return start..<end
    }

    /// Removes all fields, for the next head, and reserves space for those of a typical one.
    mutating func begin() {
        bytes.removeAll(keepingCapacity: true)
        bytes.reserveCapacity(512)
        places.removeAll(keepingCapacity: true)
        places.reserveCapacity(12)
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}

private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d || byte == 0x0a }
