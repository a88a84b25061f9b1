internal import KlingAPI

/// A JSON value written as a literal in the source.
enum JSONLiteral: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case string(String)
    case array([JSONLiteral])
    /// The members, in order.
    case object([Member])

    struct Member: Equatable, Sendable {
        var name: String
        var value: JSONLiteral
    }

    /// The value as JSON.
    var json: [UInt8] {
        var output: [UInt8] = []
        write(to: &output)
        return output
    }

    private func write(to output: inout [UInt8]) {
        switch self {
        case .null: output += "null".utf8
        case .bool(let value): output += (value ? "true" : "false").utf8
        case .integer(let value): output += String(value).utf8
        case .string(let value): JSONString.append(value, to: &output)
        case .array(let values):
            Self.write(values, "[", "]", to: &output) { value, output in value.write(to: &output) }
        case .object(let members):
            Self.write(members, "{", "}", to: &output) { member, output in
                JSONString.append(member.name, to: &output)
                output += ":".utf8
                member.value.write(to: &output)
            }
        }
    }

    private static func write<Element>(
        _ elements: [Element], _ opening: String, _ closing: String, to output: inout [UInt8],
        _ write: (Element, inout [UInt8]) -> Void
    ) {
        output += opening.utf8
        for (index, element) in elements.enumerated() {
            if index > 0 { output += ",".utf8 }
            write(element, &output)
        }
        output += closing.utf8
    }
}

extension JSONLiteral {
    /// The value of an object's member; nil if there is none.
    subscript(name: String) -> JSONLiteral? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// The members; none unless it is an object.
    var members: [Member] { if case .object(let members) = self { members } else { [] } }

    /// The elements; none unless it is an array.
    var elements: [JSONLiteral] { if case .array(let elements) = self { elements } else { [] } }

    /// The text; nil unless it is a string.
    var text: String? { if case .string(let text) = self { text } else { nil } }

    /// The object with the members of `others` appended; unchanged if either is not an object.
    func adding(_ others: JSONLiteral) -> JSONLiteral {
        guard case .object(let members) = self, case .object(let more) = others else { return self }
        return .object(members + more)
    }

    /// The schema of an object with more members, all of which it always has.
    func withMembers(_ more: [(String, JSONLiteral)]) -> JSONLiteral {
        .object(
            members.map { member in
                switch member.name {
                case "properties":
                    let added = more.map { Member(name: $0.0, value: $0.1) }
                    return Member(name: member.name, value: member.value.adding(.object(added)))
                case "required":
                    return Member(name: member.name, value: .array(member.value.elements + more.map { .string($0.0) }))
                default: return member
                }
            })
    }

    /// An array of strings.
    static func strings(_ texts: some Sequence<String>) -> JSONLiteral { .array(texts.map(JSONLiteral.string)) }
}

extension JSONLiteral: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringInterpolation,
    ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
    init(dictionaryLiteral elements: (String, JSONLiteral)...) {
        self = .object(elements.map { Member(name: $0, value: $1) })
    }
    init(arrayLiteral elements: JSONLiteral...) { self = .array(elements) }
    init(stringLiteral value: String) { self = .string(value) }
    init(integerLiteral value: Int) { self = .integer(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(nilLiteral: ()) { self = .null }
}
