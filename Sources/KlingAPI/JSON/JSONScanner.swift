/// Finds the ranges of the members of a JSON object, or of the elements of an array, in contiguous text.
///
/// The scanner builds no values and no tree. It is strict (RFC 8259): it refuses anything but one JSON text in UTF-8,
/// and skips a byte order mark before it. It also refuses duplicate names in the outermost object, numbers too large
/// for a double, more than ``maxDepth`` levels and more than ``maxMembers`` outermost members. Half a surrogate pair in
/// a value is left to the reader of that value. The scanner can pause within the text and resume later, so that a large
/// text can be scanned in slices.
public struct JSONScanner: Sendable {
    /// The maximum nesting depth of objects and arrays.
    public static let maxDepth = 64
    /// The maximum number of members of the outermost object.
    public static let maxMembers = 256

    private static let usualMembers = 8
    /// How much text must follow for a string to be looked at as a picture.
    private static let longString = 4096

    /// The members of the outermost object found so far, or the elements of the outermost array if they are kept.
    public private(set) var members: [JSONMember] = []
    /// The kind of the outermost value, once its first byte has been scanned.
    public private(set) var kind: JSONKind?
    /// The range of the outermost value, without the whitespace around it, once the whole text has been scanned.
    public private(set) var value = 0..<0
    /// The members of the object that was to be opened, and its range; nil if there is none, or it is no object whose
    /// members can be told apart.
    private(set) var opened: (range: Range<Int>, members: [JSONMember])?

    private let start: Int
    private var end: Int
    private var rules: JSONScanRules
    private var position: Int
    private var step = JSONStep.value
    private var depth = 0
    /// One bit per level, the lowest for the outermost level: whether the level is an object.
    private var objects: UInt64 = 0
    private var current = JSONMember()
    private var stringStart = 0
    private var stringHasEscapes = false

    /// Prepares to scan the text at `range`.
    /// - Parameter keepsElements: whether to keep the elements of an outermost array. Their number is unbounded, and
    ///   each takes about a hundred bytes, so a caller that expects an object leaves this off.
    public init(range: Range<Int>, keepsElements: Bool = false) {
        position = range.lowerBound
        start = range.lowerBound
        end = range.upperBound
        rules = JSONScanRules(keepsElements: keepsElements)
    }

    /// Scans the text at `range` in one go, and keeps the elements of an array.
    /// - Parameter name: the member of the outermost object whose own members are kept, too, in ``opened``.
    public init(_ bytes: Span<UInt8>, range: Range<Int>, opening name: StaticString? = nil) throws(JSONError) {
        self.init(range: range, keepsElements: true)
        rules.openedName = name
        _ = try scan(bytes, upTo: range.upperBound)
    }

    /// Continues the scan to about `limit`, and returns whether it is complete. `bytes` must be the same in every call.
    public mutating func scan(_ bytes: Span<UInt8>, upTo limit: Int) throws(JSONError) -> Bool {
        while position < end {
            guard position < limit else { return false }
            if !isInString {
                let byte = bytes[position]
                if byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
                    position += 1
                } else {
                    try take(byte, bytes)
                }
                guard isInString else { continue }
            }
            guard try scanString(bytes, upTo: limit) else { return false }
            try finishString(bytes)
        }
        guard step == .end else { throw .atEnd(end, expected: expectation) }
        return true
    }

    private var isInString: Bool { step == .inName || step == .inString }

    private mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) throws(JSONError) {
        switch step {
        case .firstName where byte == UInt8(ascii: "}"), .firstElement where byte == UInt8(ascii: "]"):
            close(bytes)
        case .firstName where byte == JSONText.quote, .name where byte == JSONText.quote:
            beginString(.inName)
        case .colon where byte == UInt8(ascii: ":"):
            position += 1
            step = .value
        case .separator where byte == UInt8(ascii: ","):
            position += 1
            step = isInObject ? .name : .value
        case .separator where byte == (isInObject ? UInt8(ascii: "}") : UInt8(ascii: "]")):
            close(bytes)
        case .value, .firstElement:
            try beginValue(byte, bytes)
        default:
            throw .at(position, bytes, expected: expectation)
        }
    }

    private mutating func beginValue(_ byte: UInt8, _ bytes: Span<UInt8>) throws(JSONError) {
        switch byte {
        case JSONText.quote:
            note(.string)
            beginString(.inString)
        case UInt8(ascii: "{"):
            if depth == 1, let name = rules.openedName, current.isNamed(name, bytes), openMember(bytes) { return }
            try open(.object)
        case UInt8(ascii: "["): try open(.array)
        case UInt8(ascii: "-"), 0x30...0x39:
            note(.number)
            position = try JSONNumber.end(bytes, position..<end)
            endValue(bytes)
        case UInt8(ascii: "t"): try literal("true", .bool, bytes)
        case UInt8(ascii: "f"): try literal("false", .bool, bytes)
        case UInt8(ascii: "n"): try literal("null", .null, bytes)
        case 0xEF where kind == nil && position == start && bytes.equals(position..<min(position + 3, end), "\u{FEFF}"):
            position += 3
        default: throw .at(position, bytes, expected: expectation)
        }
    }

    private var isInObject: Bool { objects >> UInt64(depth - 1) & 1 == 1 }

    /// Records where a value starts, if it is the outermost value or one level below it.
    private mutating func note(_ kind: JSONKind) {
        if depth == 0 {
            self.kind = kind
            value = position..<position
        } else if depth == 1 {
            current.kind = kind
            current.value = position..<position
        }
    }

    private mutating func open(_ kind: JSONKind) throws(JSONError) {
        guard depth < rules.levels else {
            throw JSONError(offset: position, expected: "at most \(Self.maxDepth) levels", found: "one more")
        }
        note(kind)
        let bit: UInt64 = 1 << UInt64(depth)
        objects = kind == .object ? objects | bit : objects & ~bit
        depth += 1
        position += 1
        step = kind == .object ? .firstName : .firstElement
    }

    /// Scans the object at `position` with a scanner of its own, which keeps its members.
    /// - Returns: false if that fails: whether the text as a whole is valid is then found out without it.
    private mutating func openMember(_ bytes: Span<UInt8>) -> Bool {
        var inner = JSONScanner(range: position..<end)
        inner.rules = JSONScanRules(levels: rules.levels - 1, endsWithValue: true)
        guard (try? inner.scan(bytes, upTo: end)) == true else { return false }
        note(.object)
        opened = (inner.value, inner.members)
        position = inner.value.upperBound
        endValue(bytes)
        return true
    }

    private mutating func close(_ bytes: Span<UInt8>) {
        depth -= 1
        position += 1
        endValue(bytes)
    }

    private mutating func endValue(_ bytes: Span<UInt8>) {
        step = depth == 0 ? .end : .separator
        if depth == 0 {
            value = value.lowerBound..<position
            if rules.endsWithValue { end = position }
        } else if depth == 1 {
            current.value = current.value.lowerBound..<position
            if isInObject || rules.keepsElements {
                if members.isEmpty { members.reserveCapacity(Self.usualMembers) }
                members.append(current)
            }
            current = JSONMember()
        }
        // A comma usually follows at once.
        if depth > 0, position < end, bytes[position] == UInt8(ascii: ",") {
            position += 1
            step = isInObject ? .name : .value
        }
    }

    private mutating func literal(
        _ text: StaticString, _ kind: JSONKind, _ bytes: Span<UInt8>
    ) throws(JSONError) {
        let length = text.utf8CodeUnitCount
        guard position + length <= end, bytes.equals(position..<position + length, text) else {
            throw .at(position, bytes, expected: expectation)
        }
        note(kind)
        position += length
        endValue(bytes)
    }
}

// MARK: - Strings

extension JSONScanner {
    private mutating func beginString(_ step: JSONStep) {
        self.step = step
        position += 1
        stringStart = position
        stringHasEscapes = false
    }

    /// Continues inside a string, and returns whether its closing quote was reached.
    private mutating func scanString(_ bytes: Span<UInt8>, upTo limit: Int) throws(JSONError) -> Bool {
        let stop = min(end, limit)
        if step == .inString, depth == 1 { skipLetters(bytes, upTo: stop) }
        while position < stop {
            position = JSONText.endOfPlainRun(bytes, position..<stop)
            guard position < stop else { break }
            switch bytes[position] {
            case JSONText.quote:
                return true
            case JSONText.backslash:
                stringHasEscapes = true
                if step == .inString, JSONText.isLoneSurrogate(bytes, at: position, end: end) {
                    if depth == 1 { current.hasLoneSurrogate = true }
                    position += 6
                } else {
                    position += try JSONText.escape(bytes, at: position, end: end).length
                }
            case 0x80...0xFF:
                position += try JSONText.sequenceLength(bytes, at: position, end: end)
            case 0x0A, 0x0D:
                throw JSONError(
                    offset: position, expected: "no control character in a string",
                    found: "a line break, which the base64 command writes without -w 0")
            default:
                throw .at(position, bytes, expected: "no control character in a string")
            }
        }
        if position >= end { throw .atEnd(end, expected: "a quote at the end of a string") }
        return false
    }

    /// Skips base64, and notes where it ends: so a picture is read once for both checks.
    private mutating func skipLetters(_ bytes: Span<UInt8>, upTo stop: Int) {
        if position == stringStart { current.lettersEnd = stringStart }
        guard position == current.lettersEnd, end - stringStart >= Self.longString else { return }
        position = JSONText.endOfLetters(bytes, position..<stop)
        current.lettersEnd = position
    }

    /// Finishes the string whose closing quote is at `position`.
    private mutating func finishString(_ bytes: Span<UInt8>) throws(JSONError) {
        let content = stringStart..<position
        position += 1
        guard step == .inName else {
            if depth == 1 { current.valueHasEscapes = stringHasEscapes }
            return endValue(bytes)
        }
        step = .colon
        defer { skipColon(bytes) }
        guard depth == 1 else { return }
        current.name = content
        current.nameHasEscapes = stringHasEscapes
        current.nameHash = JSONString.hash(bytes, content, hasEscapes: stringHasEscapes)
        // By index: an element would be copied for each comparison.
        for index in members.indices
        where members[index].nameHash == current.nameHash && isSameName(members[index], bytes) {
            let name = Sanitized.text(JSONString.text(bytes, content))
            throw JSONError(offset: content.lowerBound, expected: "each member once", found: "'\(name)' again")
        }
        guard members.count < Self.maxMembers else {
            throw JSONError(offset: position, expected: "at most \(Self.maxMembers) members", found: "one more")
        }
    }

    /// Takes the colon if it follows at once, as it usually does.
    private mutating func skipColon(_ bytes: Span<UInt8>) {
        guard position < end, bytes[position] == UInt8(ascii: ":") else { return }
        position += 1
        step = .value
    }

    private func isSameName(_ other: JSONMember, _ bytes: Span<UInt8>) -> Bool {
        if other.nameHasEscapes || current.nameHasEscapes {
            return JSONString.bytes(bytes, other.name) == JSONString.bytes(bytes, current.name)
        }
        guard other.name.count == current.name.count else { return false }
        return zip(other.name, current.name).allSatisfy { bytes[$0] == bytes[$1] }
    }

    private var expectation: String { step.expectation(isOutermost: depth == 0, isInObject: isInObject) }
}
