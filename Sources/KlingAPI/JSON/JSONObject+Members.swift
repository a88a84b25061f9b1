/// Values of members and elements that are not looked up by name.
extension JSONObject {
    /// The name of a member, unescaped.
    public func name(of member: JSONMember) -> String { JSONString.text(bytes.span, member.name) }

    /// A member or element that is a string, unescaped; nil also if it has half a surrogate pair.
    public func text(of member: JSONMember) -> String? {
        guard member.kind == .string, !member.hasLoneSurrogate else { return nil }
        return JSONString.text(bytes.span, member.content)
    }

    /// A member or element that is an integer.
    public func integer(of member: JSONMember) -> Int? {
        member.kind == .number ? JSONNumber.integer(bytes.span, member.value) : nil
    }

    /// The JSON of a member's or element's value.
    public func json(of member: JSONMember) -> String { String(decoding: bytes[member.value], as: UTF8.self) }

    /// A member or element that is a Boolean.
    public func flag(of member: JSONMember) -> Bool? {
        member.kind == .bool ? bytes[member.value.lowerBound] == UInt8(ascii: "t") : nil
    }

    /// A member or element that is an object.
    public func object(of member: JSONMember) -> JSONObject? {
        member.kind == .object ? JSONObject(bytes, range: member.value) : nil
    }

    /// The elements of a member that is an array.
    public func elements(of member: JSONMember) -> [JSONMember]? {
        guard member.kind == .array else { return nil }
        return (try? JSONScanner(bytes.span, range: member.value))?.members
    }

    /// The objects of an array that is a whole text; nil if the text is anything else.
    public static func list(_ bytes: [UInt8]) -> [JSONObject]? {
        guard let scan = try? JSONScanner(bytes.span, range: 0..<bytes.count), scan.kind == .array else { return nil }
        let objects = scan.members.compactMap { JSONObject(bytes, range: $0.value) }
        return objects.count == scan.members.count ? objects : nil
    }
}
