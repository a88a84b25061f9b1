/// Builds the tables of parameters and of the members of bodies.
struct DocsMembers {
    let document: JSONLiteral

    private static let headings = ["Name", "Type", "Required", "Meaning"]
    private static let deepest = 5

    /// The parameters of an operation.
    func parameters(_ parameters: [JSONLiteral]) -> String {
        DocsHTML.table(
            Self.headings,
            parameters.map { parameter in
                let member = DocsMember(
                    name: parameter["name"]?.text ?? "", schemas: [parameter["schema"] ?? [:]],
                    isRequired: parameter["required"] == .bool(true), note: parameter["description"]?.text)
                return member.cells
            })
    }

    /// The members of an operation's request body. A form has the same members as JSON.
    func bodies(_ contents: [JSONLiteral.Member]) -> String {
        guard let first = contents.first, let last = contents.last else { return "" }
        let types = contents.map { "<code>\(DocsHTML.escaped($0.name))</code>" }.joined(separator: " or ")
        let text = resolved(last.value["schema"] ?? [:])["description"]?.text ?? ""
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let listed = lines.compactMap(DocsMember.init(line:))
        let rest = lines.filter { DocsMember(line: $0) == nil }.joined(separator: "\n")
        let schema = resolved(first.value["schema"] ?? [:])
        return "<h5>Body, \(types)</h5>"
            + DocsHTML.table(Self.headings, rows(of: [schema], prefix: "", depth: 0) + listed.map(\.cells))
            + DocsHTML.paragraphs(.string(rest))
    }

    /// Sections for the named string schemas that members refer to.
    var types: String {
        (document["components"]?["schemas"]?.members ?? []).filter {
            $0.value["description"] != nil && Self.isText($0.value)
        }
        .map { schema in
            "<h2 id=\"\(schema.name)\">\(schema.name)</h2>" + DocsHTML.paragraphs(schema.value["description"])
        }.joined()
    }

    /// Links to the named string schemas that `schema` is, or is an array of.
    private func typeNames(_ schema: JSONLiteral) -> [String] {
        let alternatives = [schema] + (schema["anyOf"]?.elements ?? [])
        let names = alternatives.compactMap { alternative -> String? in
            guard let path = alternative["$ref"]?.text, Self.isText(resolved(alternative)) else { return nil }
            return path.split(separator: "/").last.map { "<a href=\"#\($0)\">\($0)</a>" }
        }
        return names + (schema["items"].map(typeNames) ?? []).map { "array of \($0)" }
    }

    private static func isText(_ schema: JSONLiteral) -> Bool { schema["type"] == "string" && schema["enum"] == nil }

    /// The members of an operation's answer.
    func answer(_ response: JSONLiteral?) -> String {
        (response?["content"]?.members ?? []).map { content in
            guard content.name == "application/json" else {
                return "<p>Its type is <code>\(DocsHTML.escaped(content.name))</code>.</p>"
            }
            return DocsHTML.table(
                Self.headings.map { $0 == "Required" ? "Always present" : $0 },
                rows(of: [resolved(content.value["schema"] ?? [:])], prefix: "", depth: 0))
        }.joined()
    }

    /// The header fields of answers.
    var headers: String {
        DocsHTML.table(
            ["Name", "Meaning"],
            (document["components"]?["headers"]?.members ?? []).map { header in
                [
                    "<code>\(DocsHTML.escaped(header.name))</code>",
                    DocsHTML.marked(header.value["description"]?.text ?? ""),
                ]
            })
    }

    private func resolved(_ schema: JSONLiteral) -> JSONLiteral {
        guard let path = schema["$ref"]?.text?.split(separator: "/").dropFirst() else { return schema }
        return path.reduce(document) { $0?[String($1)] }.map(resolved) ?? schema
    }

    // MARK: Rows

    /// The rows for the members of an object, of its alternatives, and of the objects nested in it.
    private func rows(of schemas: [JSONLiteral], prefix: String, depth: Int) -> [[String]] {
        guard depth < Self.deepest else { return [] }
        return members(of: schemas).flatMap { member in
            let names = member.schemas.flatMap(typeNames)
            let schemas = member.schemas.map(resolved)
            var shown = DocsMember(name: prefix + member.name, schemas: schemas, isRequired: member.isRequired)
            shown.typeNames = names
            let row = shown.cells
            let items = schemas.compactMap { $0["items"].map(resolved) }
            return [row] + rows(of: schemas, prefix: prefix + member.name + ".", depth: depth + 1)
                + rows(of: items, prefix: prefix + member.name + "[].", depth: depth + 1)
        }
    }

    /// The members of objects and of their alternatives. A member that several of them have gets all their schemas.
    private func members(of schemas: [JSONLiteral]) -> [DocsMember] {
        let alternatives = schemas.flatMap { [$0] + ($0["anyOf"]?.elements ?? []).map(resolved) }
        var members: [DocsMember] = []
        for schema in alternatives {
            let required = (schema["required"]?.elements ?? []).compactMap(\.text)
            let isCertain = alternatives.count == schemas.count || schemas.contains(schema)
            for property in schema["properties"]?.members ?? [] where property.value != SchemaParts.none {
                if let known = members.firstIndex(where: { $0.name == property.name }) {
                    members[known].schemas.append(property.value)
                } else {
                    members.append(
                        DocsMember(
                            name: property.name, schemas: [property.value],
                            isRequired: isCertain && required.contains(property.name)))
                }
            }
        }
        return members
    }
}

/// A member of a body, or a parameter.
struct DocsMember {
    let name: String
    var schemas: [JSONLiteral]
    let isRequired: Bool
    /// What it means, in addition to what its schemas say.
    var note: String?
    /// The named types, as HTML. The page describes them in sections of their own.
    var typeNames: [String] = []

    init(name: String, schemas: [JSONLiteral], isRequired: Bool, note: String? = nil) {
        (self.name, self.schemas, self.isRequired, self.note) = (name, schemas, isRequired, note)
    }

    /// Reads a line of a description: `` - `name`, `other` (type): what it means ``; nil for any other line.
    init?(line: String) {
        guard let parts = line.wholeMatch(of: /- `([a-z_A-Z`, ]+)` \(([a-z ]+)\): (.*)/) else { return nil }
        self.init(
            name: String(parts.1).replacing("`", with: ""), schemas: [["type": .string(String(parts.2))]],
            isRequired: false,
            note: parts.3.prefix(1).uppercased() + parts.3.dropFirst())
    }

    /// The cells of its row, as HTML.
    var cells: [String] {
        let descriptions =
            typeNames.isEmpty || schemas.contains { $0["items"] != nil }
            ? schemas.map { $0["description"]?.text } : []
        let meaning = ([note] + descriptions + schemas.map(Self.bounds)).compactMap(\.self)
        let types = typeNames.isEmpty ? schemas.flatMap(Self.types).map(DocsHTML.escaped) : typeNames
        return [
            "<code>\(DocsHTML.escaped(name))</code>", unique(types).joined(separator: " or "),
            isRequired ? "yes" : "", DocsHTML.marked((unique(meaning) + values).joined(separator: " ")),
        ]
    }

    /// The values that it may have, as one sentence.
    private var values: [String] {
        let words = schemas.flatMap { ($0["enum"]?.elements ?? []) + [$0["const"]].compactMap(\.self) }
        let shown = unique(
            words.filter { $0 != .null && $0 != "" }.map { "`\($0.text ?? String(decoding: $0.json, as: UTF8.self))`" })
        return shown.isEmpty ? [] : [(shown.count == 1 ? "Always " : "One of ") + shown.joined(separator: ", ") + "."]
    }

    private static func types(_ schema: JSONLiteral) -> [String] {
        let names = [schema["type"]?.text].compactMap(\.self) + (schema["type"]?.elements ?? []).compactMap(\.text)
        if names.isEmpty { return schema["enum"] ?? schema["const"] != nil ? ["string"] : [] }
        return names.filter { $0 != "null" || names.count == 1 }
    }

    private static func bounds(_ schema: JSONLiteral) -> String? {
        func number(_ name: String) -> String? { schema[name].map { String(decoding: $0.json, as: UTF8.self) } }
        let range: String? =
            switch (number("minimum"), number("maximum"), number("minItems"), number("maxItems")) {
            case (let least?, let most?, _, _): "\(least) to \(most)."
            case (let least?, nil, _, _): "At least \(least)."
            case (_, _, let least?, let most?): least == most ? "\(most) elements." : "\(least) to \(most) elements."
            default: nil
            }
        let standard = schema["default"].map { "Default: `\($0.text ?? String(decoding: $0.json, as: UTF8.self))`." }
        let words = [range, standard].compactMap(\.self)
        return words.isEmpty ? nil : words.joined(separator: " ")
    }

    private func unique(_ texts: [String]) -> [String] {
        texts.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
