internal import KlingAPI

/// Schemas that several shapes share.
enum SchemaParts {
    /// The values that count as missing.
    static let none: JSONLiteral = ["enum": [nil, ""]]

    static func reference(_ schema: String) -> JSONLiteral { ["$ref": "#/components/schemas/\(schema)"] }

    /// One of the models, or none.
    static func model(_ models: TryOnModels, default name: String) -> JSONLiteral {
        [
            "description": "One of the models.",
            "enum": .array(models.names.map(JSONLiteral.string) + ["", nil]), "default": .string(name),
        ]
    }

    /// An integer, which may be written as a string, or none.
    static func number(_ range: ClosedRange<Int>, description: String) -> JSONLiteral {
        [
            "description": .string(description), "type": ["integer", "string", "null"],
            "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound),
            // Client generators drop operations with an enum of several types.
            "pattern": .string("^(?:\(range.map(String.init).joined(separator: "|")))?$"),
        ]
    }

    /// A Boolean, which may be written as a string, or none.
    static func flag(_ description: String) -> JSONLiteral {
        [
            "description": .string(description), "type": ["boolean", "string", "null"],
            "pattern": "^(?:true|false)?$",
        ]
    }

    /// A short text, or none.
    static func text(upTo bytes: Int, description: String) -> JSONLiteral {
        [
            "description": .string("\(description), at most \(bytes) bytes."), "type": ["string", "null"],
            "maxLength": .integer(bytes),
        ]
    }

    /// The schema for a form. Its names are sent in the header lines of the parts, so they have no control characters.
    static func forForm(_ schema: JSONLiteral) -> JSONLiteral {
        guard case .object(let members) = texts(schema) else { return schema }
        let names: JSONLiteral = ["pattern": #"^[^\u0000-\u0008\u000a-\u001f\u007f]+$"#]
        return .object(members + [.init(name: "propertyNames", value: names)])
    }

    /// The schema with all members as strings or files: a form has no null, and sends numbers as text.
    private static func texts(_ schema: JSONLiteral) -> JSONLiteral {
        switch schema {
        case .object(let members):
            return .object(
                members.compactMap { member in
                    switch (member.name, member.value) {
                    case ("type", .array(let kinds)) where kinds.contains("string"):
                        return .init(name: "type", value: "string")
                    case ("minimum", _), ("maximum", _): return nil
                    case ("enum", .array(let values)):
                        let texts = values.filter { if case .string = $0 { true } else { false } }
                        return .init(name: "enum", value: .array(texts))
                    default: return .init(name: member.name, value: texts(member.value))
                    }
                })
        case .array(let elements): return .array(elements.map(texts))
        default: return schema
        }
    }
}
