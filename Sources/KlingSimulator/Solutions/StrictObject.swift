internal import KlingAPI

/// A JSON object of a request, read strictly: unknown members and members of the wrong type are refused.
struct StrictObject {
    private let object: JSONObject
    /// The prefix of member names in messages: empty, or a path such as `options.`.
    private let path: String

    private static let longestName = 64

    /// Parses a whole body.
    init(_ body: [UInt8], members: Set<String>) throws(SimulatedRefusal) {
        guard let object = JSONObject(body) else {
            throw SimulatedRefusal(.invalidRequest, "Failed to resolve the request body")
        }
        try self.init(object, "", members)
    }

    private init(_ object: JSONObject, _ path: String, _ members: Set<String>) throws(SimulatedRefusal) {
        (self.object, self.path) = (object, path)
        for member in object.members {
            let name = JSONString.text(object.bytes.span, member.name)
            guard members.contains(name) else {
                throw .parameter("\(path)\(name.prefix(Self.longestName)) is not a parameter")
            }
        }
    }

    /// A member that is an object.
    func object(_ name: StaticString, members: Set<String>) throws(SimulatedRefusal) -> StrictObject? {
        guard let member = try member(name, .object) else { return nil }
        return try nested(member, "\(path)\(name)", members)
    }

    /// The elements of a member that is an array of objects.
    func objects(_ name: StaticString, members: Set<String>) throws(SimulatedRefusal) -> [StrictObject]? {
        guard try member(name, .array) != nil, let elements = object.array(name) else { return nil }
        var objects: [StrictObject] = []
        for (index, element) in elements.enumerated() {
            let place = "\(path)\(name)[\(index)]"
            guard element.kind == .object else { throw .parameter("\(place) must be an object") }
            objects.append(try nested(element, place, members))
        }
        return objects
    }

    /// A member that is a string; nil if it is missing or empty.
    func text(_ name: StaticString) throws(SimulatedRefusal) -> String? {
        guard try member(name, .string) != nil, let text = object.string(name), !text.isEmpty else { return nil }
        return text
    }

    /// The elements of a member that is an array of strings.
    func texts(_ name: StaticString) throws(SimulatedRefusal) -> [String]? {
        guard try member(name, .array) != nil, let elements = object.array(name) else { return nil }
        guard elements.allSatisfy({ $0.kind == .string }) else { throw wrong(name, "an array of strings") }
        return elements.map { JSONString.text(object.bytes.span, $0.content) }
    }

    /// A member that is a Boolean.
    func bool(_ name: StaticString) throws(SimulatedRefusal) -> Bool? {
        try member(name, .bool).map { object.bytes[$0.value].first == UInt8(ascii: "t") }
    }

    /// A member that is an integer.
    func integer(_ name: StaticString) throws(SimulatedRefusal) -> Int? {
        guard try member(name, .number) != nil else { return nil }
        guard let number = object.integer(name) else { throw wrong(name, "an integer") }
        return number
    }

    /// A refusal that names a member by its path, and says what is wrong with it.
    func refusal(_ name: StaticString, _ problem: String) -> SimulatedRefusal {
        .parameter("\(path)\(name) \(problem)")
    }

    private func wrong(_ name: StaticString, _ kind: String) -> SimulatedRefusal { refusal(name, "must be \(kind)") }

    private func member(_ name: StaticString, _ kind: JSONKind) throws(SimulatedRefusal) -> JSONMember? {
        guard let member = object[name] else { return nil }
        guard member.kind == kind else { throw wrong(name, kind.words) }
        return member
    }

    private func nested(
        _ member: JSONMember, _ place: String, _ members: Set<String>
    ) throws(SimulatedRefusal) -> StrictObject {
        guard let nested = JSONObject(object.bytes, range: member.value) else {
            throw .parameter("\(place) has a member twice")
        }
        return try StrictObject(nested, place + ".", members)
    }
}
