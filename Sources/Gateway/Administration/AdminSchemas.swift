/// JSON Schemas of answers.
enum AdminSchemas {
    static func text(_ description: String) -> JSONLiteral {
        ["type": "string", "description": .string(description)]
    }

    static func textOrNull(_ description: String) -> JSONLiteral {
        ["type": ["string", "null"], "description": .string(description)]
    }

    static func word(_ words: [String], _ description: String) -> JSONLiteral {
        ["type": "string", "enum": .strings(words), "description": .string(description)]
    }

    static func integer(_ description: String) -> JSONLiteral {
        ["type": "integer", "description": .string(description)]
    }

    static func time(_ description: String) -> JSONLiteral {
        ["type": "integer", "description": .string("\(description), in milliseconds since 1970.")]
    }

    static func flag(_ description: String) -> JSONLiteral {
        ["type": "boolean", "description": .string(description)]
    }

    static func texts(_ description: String) -> JSONLiteral {
        ["type": "array", "items": ["type": "string"], "description": .string(description)]
    }

    static func list(_ items: JSONLiteral) -> JSONLiteral { ["type": "array", "items": items] }

    /// An object that always has the members of `required`, and some of `optional`.
    static func object(
        _ required: [(String, JSONLiteral)], optional: [(String, JSONLiteral)] = []
    ) -> JSONLiteral {
        let members = (required + optional).map { JSONLiteral.Member(name: $0.0, value: $0.1) }
        return ["type": "object", "required": .strings(required.map(\.0)), "properties": .object(members)]
    }
}

extension AdminMember {
    /// The schema of the member, or of the parameter.
    var schema: JSONLiteral {
        var schema = kind.schema.adding(["description": .string(description)])
        if case .text = kind { schema = schema.adding(["pattern": .string(pattern ?? Self.plain)]) }
        guard isNullable, let type = schema["type"] else { return schema }
        let members = schema.members.map { member in
            member.name == "type" ? JSONLiteral.Member(name: "type", value: [type, "null"]) : member
        }
        return .object(members)
    }

    /// The schema of an object with these members and no others.
    static func schema(of members: [AdminMember]) -> JSONLiteral {
        let required = members.filter(\.isRequired).map(\.name)
        let schema: JSONLiteral = [
            "type": "object",
            "properties": .object(members.map { JSONLiteral.Member(name: $0.name, value: $0.schema) }),
            "additionalProperties": false,
        ]
        return required.isEmpty ? schema : schema.adding(["required": .strings(required)])
    }
}

extension AdminMember.Kind {
    fileprivate var schema: JSONLiteral {
        switch self {
        case .text(let bytes):
            [
                "type": "string", "minLength": .integer(min(1, bytes.lowerBound)),
                "maxLength": .integer(bytes.upperBound),
            ]
        case .word(let words): ["type": "string", "enum": .strings(words)]
        case .words(let words):
            ["type": "array", "items": ["type": "string", "enum": .strings(words)], "uniqueItems": true]
        case .integer(let range):
            ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
        case .amount: ["type": "number", "minimum": 0, "maximum": 1_000_000_000_000]
        case .flag: ["type": "boolean"]
        case .yes: ["type": "boolean", "const": true]
        case .readOnly: ["readOnly": true]
        case .texts(let most):
            [
                "type": "array", "maxItems": .integer(most),
                "items": ["type": "string", "minLength": 1, "pattern": .string(AdminMember.plain)],
            ]
        case .object(let members): AdminMember.schema(of: members)
        case .objects(let most, let members):
            ["type": "array", "items": AdminMember.schema(of: members), "maxItems": .integer(most)]
        }
    }
}
