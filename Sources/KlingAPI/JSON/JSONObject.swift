/// A JSON object, which keeps its bytes, finds members by name and reads their values on demand.
public struct JSONObject: Sendable {
    /// The bytes that the ranges refer to.
    public let bytes: [UInt8]
    /// The members, in the order of the text.
    public let members: [JSONMember]
    /// The range of the object in the bytes.
    public let range: Range<Int>

    /// Reads the object at `range`, which must hold nothing else; nil if it is not a valid object.
    public init?(_ bytes: [UInt8], range: Range<Int>? = nil) {
        guard let scan = try? JSONScanner(bytes.span, range: range ?? 0..<bytes.count) else { return nil }
        self.init(bytes, scan)
    }

    /// Creates the object from a completed scan of the bytes; nil if the value is not an object.
    init?(_ bytes: [UInt8], _ scan: borrowing JSONScanner) {
        guard scan.kind == .object else { return nil }
        self.init(bytes, range: scan.value, scan.members)
    }

    /// Creates the object from its members.
    init(_ bytes: [UInt8], range: Range<Int>, _ members: [JSONMember]) {
        (self.bytes, self.range, self.members) = (bytes, range, members)
    }

    /// The member with this name.
    public subscript(name: StaticString) -> JSONMember? {
        let span = bytes.span
        for index in members.indices where members[index].isNamed(name, span) { return members[index] }
        return nil
    }

    /// A member that is a string, unescaped.
    public func string(_ name: StaticString) -> String? {
        guard let member = self[name], member.kind == .string else { return nil }
        if member.valueHasEscapes { return JSONString.text(bytes.span, member.content) }
        return String(decoding: bytes[member.content], as: UTF8.self)
    }

    /// A member that is an integer.
    public func integer(_ name: StaticString) -> Int? {
        guard let member = self[name], member.kind == .number else { return nil }
        return JSONNumber.integer(bytes.span, member.value)
    }

    /// A member that is a string, or an integer as its digits.
    public func identifier(_ name: StaticString) -> String? {
        string(name) ?? integer(name).map { String($0) }
    }

    /// A member that is a Boolean.
    func bool(_ name: StaticString) -> Bool? {
        guard let member = self[name], member.kind == .bool else { return nil }
        return bytes[member.value.lowerBound] == UInt8(ascii: "t")
    }

    /// The JSON of a member.
    func value(_ name: StaticString) -> [UInt8]? { self[name].map { Array(bytes[$0.value]) } }

    /// A member that is an object.
    public func object(_ name: StaticString) -> JSONObject? {
        guard let member = self[name], member.kind == .object else { return nil }
        return JSONObject(bytes, range: member.value)
    }

    /// The objects among the elements of a member that is an array.
    func objects(_ name: StaticString) -> [JSONObject]? {
        array(name)?.compactMap { $0.kind == .object ? JSONObject(bytes, range: $0.value) : nil }
    }

    /// The elements of a member that is an array.
    public func array(_ name: StaticString) -> [JSONMember]? {
        guard let member = self[name], member.kind == .array else { return nil }
        return (try? JSONScanner(bytes.span, range: member.value))?.members
    }

    /// The JSON of the object.
    public var json: ArraySlice<UInt8> { bytes[range] }

    /// What to do with a member when the object is copied.
    enum Edit {
        case keep, drop
        case text(String)
        case json([UInt8])
    }

    /// Writes the members, edited by `edit`. Names and kept values are copied byte for byte.
    func write(to writer: inout JSONWriter, _ edit: (JSONMember, Span<UInt8>) -> Edit) {
        let span = bytes.span
        // Kept members that follow one another without blanks, and are copied at once.
        var kept = 0..<0
        for member in members {
            let edit = edit(member, span)
            let isNext = !kept.isEmpty && kept.upperBound + 1 == member.quotedName.lowerBound
            if isNext, member.isCompact, case .keep = edit {
                kept = kept.lowerBound..<member.value.upperBound
                continue
            }
            if !kept.isEmpty { writer.members(copied: span.extracting(kept)) }
            kept = 0..<0
            switch edit {
            case .drop: continue
            case .keep where member.isCompact: kept = member.quotedName.lowerBound..<member.value.upperBound
            case .keep:
                writer.name(copied: span.extracting(member.quotedName))
                writer.json(span.extracting(member.value))
            case .text(let text):
                writer.name(copied: span.extracting(member.quotedName))
                writer.string(text)
            case .json(let json):
                writer.name(copied: span.extracting(member.quotedName))
                writer.json(json)
            }
        }
        if !kept.isEmpty { writer.members(copied: span.extracting(kept)) }
    }
}
