/// A JSON object within bytes that are kept: its members by name, their values read when asked for.
public struct JSONObject: Sendable {
    /// The bytes that the ranges are of.
    public let bytes: [UInt8]
    /// The members, in their order.
    public let members: [JSONMember]
    /// The object in the bytes.
    public let range: Range<Int>

    /// Reads the object that lies, alone, at `range`; nil if it is not a valid one.
    public init?(_ bytes: [UInt8], range: Range<Int>? = nil) {
        guard let scan = try? JSONScanner(bytes.span, range: range ?? 0..<bytes.count) else { return nil }
        self.init(bytes, scan)
    }

    /// Takes what was found in the bytes; nil if it is no object.
    init?(_ bytes: [UInt8], _ scan: JSONScanner) {
        guard scan.kind == .object else { return nil }
        self.bytes = bytes
        range = scan.value
        members = scan.members
    }

    /// The member of that name.
    public subscript(name: StaticString) -> JSONMember? {
        let span = bytes.span
        return members.first { $0.isNamed(name, span) }
    }

    /// A member that is a string, unescaped.
    public func string(_ name: StaticString) -> String? {
        guard let member = self[name], member.kind == .string else { return nil }
        return JSONString.text(bytes.span, member.content)
    }

    /// A member that is an integer.
    public func integer(_ name: StaticString) -> Int? {
        guard let member = self[name], member.kind == .number else { return nil }
        return JSONNumber.integer(bytes.span, member.value)
    }

    /// A member that is a string, or an integer's digits.
    public func identifier(_ name: StaticString) -> String? {
        string(name) ?? integer(name).map { String($0) }
    }

    /// A member that is a truth value.
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

    /// The object's own text.
    public var json: ArraySlice<UInt8> { bytes[range] }

    /// What becomes of a member of a copy.
    enum Edit {
        case keep, drop
        case replace([UInt8])
    }

    /// Writes the members, each as `edit` says. Names and kept values stay byte for byte.
    func write(to writer: inout JSONWriter, _ edit: (JSONMember, Span<UInt8>) -> Edit) {
        for member in members {
            switch edit(member, bytes.span) {
            case .drop: continue
            case .keep:
                writer.name(escaped: bytes[member.name])
                writer.json(bytes[member.value])
            case .replace(let json):
                writer.name(escaped: bytes[member.name])
                writer.json(json)
            }
        }
    }
}
