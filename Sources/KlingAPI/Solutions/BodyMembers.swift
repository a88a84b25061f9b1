/// The members of an object in a client's body. Errors name a member by its path, such as `contents[1].url`.
///
/// An optional member that is null or an empty string counts as absent, as in the older shape. Members that the gateway
/// does not read are ignored: Kling does not document what it does with them.
struct BodyMembers {
    let object: JSONObject
    /// The path of the object; empty for the body itself.
    let place: String

    /// Reads a body.
    init(body: [UInt8]) throws(ParameterError) {
        guard body.count <= Solutions.maxBodyBytes else {
            throw ParameterError(
                code: .invalidRequest, parameter: nil,
                message: "The body has \(body.count) bytes; at most \(Solutions.maxBodyBytes) are allowed. "
                    + "Send pictures as http(s) URLs, not as base64.")
        }
        try self.init(body, 0..<body.count, place: "")
    }

    private init(_ bytes: [UInt8], _ range: Range<Int>, place: String) throws(ParameterError) {
        let scan = try Self.scan(bytes, range)
        guard let object = JSONObject(bytes, scan) else {
            let found = scan.kind ?? .null
            guard place.isEmpty else { throw .wrongType(place, expected: "an object", found: found) }
            throw ParameterError(
                code: .invalidRequest, parameter: nil, message: "The body is \(found.words); send a JSON object.")
        }
        self.object = object
        self.place = place
    }

    /// The path of a member.
    func place(of name: StaticString) -> String { place.isEmpty ? "\(name)" : "\(place).\(name)" }

    /// The JSON of a member of any type.
    func json(_ name: StaticString) -> [UInt8]? { object.value(name) }

    /// A member that is a string.
    func string(_ name: StaticString) throws(ParameterError) -> String? {
        guard try member(name, .string, "a string") != nil else { return nil }
        return object.string(name)
    }

    /// A member that is an integer in `range`.
    /// - Parameter words: describes the allowed values in the error message.
    func integer(_ name: StaticString, in range: ClosedRange<Int>, _ words: String) throws(ParameterError) -> Int? {
        guard try member(name, .number, words) != nil else { return nil }
        guard let value = object.integer(name), range.contains(value) else {
            throw .value(place(of: name), "is not \(words).")
        }
        return value
    }

    /// A member that is an object.
    func members(_ name: StaticString) throws(ParameterError) -> BodyMembers? {
        guard let member = try member(name, .object, "an object") else { return nil }
        return try BodyMembers(object.bytes, member.value, place: place(of: name))
    }

    /// The elements of a member that is an array of objects.
    func elements(_ name: StaticString) throws(ParameterError) -> [BodyMembers]? {
        guard let member = try member(name, .array, "an array of objects") else { return nil }
        var elements: [BodyMembers] = []
        for (index, element) in try Self.scan(object.bytes, member.value).members.enumerated() {
            elements.append(try BodyMembers(object.bytes, element.value, place: "\(place(of: name))[\(index)]"))
        }
        return elements
    }

    /// The elements of a member that is an array of strings.
    func strings(_ name: StaticString) throws(ParameterError) -> [String]? {
        guard let member = try member(name, .array, "an array of strings") else { return nil }
        var strings: [String] = []
        for (index, element) in try Self.scan(object.bytes, member.value).members.enumerated() {
            guard element.kind == .string else {
                throw .wrongType("\(place(of: name))[\(index)]", expected: "a string", found: element.kind)
            }
            strings.append(JSONString.text(object.bytes.span, element.content))
        }
        return strings
    }

    private func member(
        _ name: StaticString, _ kind: JSONKind, _ expected: String
    ) throws(ParameterError) -> JSONMember? {
        guard let member = object[name], !member.isNullOrEmpty else { return nil }
        guard member.kind == kind else { throw .wrongType(place(of: name), expected: expected, found: member.kind) }
        guard !member.hasLoneSurrogate else {
            throw .value(place(of: name), ParameterError.loneSurrogate)
        }
        return member
    }

    private static func scan(_ bytes: [UInt8], _ range: Range<Int>) throws(ParameterError) -> JSONScanner {
        do {
            return try JSONScanner(bytes.span, range: range)
        } catch {
            throw .syntax(error)
        }
    }
}
