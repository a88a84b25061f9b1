/// The document for people: one self-contained HTML page.
struct DocsPage: Sendable {
    /// The page, with a placeholder for the gateway's URL.
    private let template: String
    private static let base = "\u{1}"

    /// Makes the page from an OpenAPI document.
    init(document: JSONLiteral) {
        let paths = document["paths"]?.members ?? []
        let tags = (document["tags"]?.elements ?? []).compactMap { $0["name"]?.text }
        let sections = tags.map { tag in
            "<h2>\(Self.escaped(tag))</h2>\n"
                + paths.flatMap { path in
                    path.value.members.filter { $0.value["tags"]?.elements.first?.text == tag }
                        .map { Self.section(path.name, $0.name, $0.value, document) }
                }.joined()
        }
        let words = paths.filter { $0.value["description"] != nil }.map { path in
            "<section><h3><code>\(Self.escaped(path.name))</code></h3>\(Self.paragraphs(path.value["description"]))</section>\n"
        }
        template = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <title>Kling Gateway</title><style>\(Self.style)</style></head><body>
            <h1>Kling Gateway</h1>
            \(Self.paragraphs(document["info"]?["description"]))
            \(Self.paragraphs(document["components"]?["securitySchemes"]?["key"]?["description"]))
            <p>For programs: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>
            <h2>In short</h2>
            <pre>\(Self.escaped(Self.example))</pre>
            \(sections.joined())\(words.joined())
            </body></html>

            """
    }

    /// The page, with examples for a gateway at `base`.
    func html(base: String) -> String { template.replacing(Self.base, with: Self.escaped(base)) }

    private static func section(
        _ path: String, _ method: String, _ operation: JSONLiteral, _ document: JSONLiteral
    ) -> String {
        let needsKey = operation["security"]?.elements.isEmpty == false
        return """
            <section><h3><b>\(method.uppercased())</b> <code>\(escaped(path))</code></h3>
            <p>\(escaped(operation["summary"]?.text ?? "")).\(needsKey ? "" : " Needs no key.")</p>
            \(paragraphs(operation["description"]))
            \(parameters(operation["parameters"]?.elements ?? []))
            \(bodies(operation["requestBody"]?["content"]?.members ?? [], document))
            <pre>\(escaped(curl(path, method, operation, needsKey)))</pre>
            \(responses(operation["responses"]?.members ?? [], document))
            </section>

            """
    }

    private static func parameters(_ parameters: [JSONLiteral]) -> String {
        table(
            parameters.map { parameter in
                let words = [
                    parameter["description"]?.text,
                    parameter["schema"]?["minimum"].flatMap { least in
                        parameter["schema"]?["maximum"].map { "\(least.shown) to \($0.shown)" }
                    },
                    parameter["schema"]?["default"].map { "default \($0.shown)" },
                ]
                return (parameter["name"]?.text ?? "", words.compactMap(\.self).joined(separator: "; "))
            })
    }

    private static func bodies(_ contents: [JSONLiteral.Member], _ document: JSONLiteral) -> String {
        contents.map { content in
            let schema = resolved(content.value["schema"], document)
            let required = Set((schema?["required"]?.elements ?? []).compactMap(\.text))
            let members = schema?["properties"]?.members ?? []
            return "<p>Body, <code>\(escaped(content.name))</code>:</p>"
                + table(
                    members.map { member in
                        let value = resolved(member.value, document)
                        let words = [
                            required.contains(member.name) ? "Required." : nil, value?["description"]?.text,
                            value?["enum"].map { "One of " + $0.elements.map(\.shown).joined(separator: ", ") + "." },
                        ]
                        return (member.name, words.compactMap(\.self).joined(separator: " "))
                    }) + paragraphs(schema?["description"])
        }.joined()
    }

    private static func responses(_ responses: [JSONLiteral.Member], _ document: JSONLiteral) -> String {
        let rows = responses.map { response in
            let lines = (resolved(response.value, document)?["description"]?.text ?? "").split(separator: "\n")
            return "<tr><td>\(response.name)</td><td>"
                + lines.map { marked(String($0.drop { "- ".contains($0) })) }.joined(separator: "<br>") + "</td></tr>"
        }
        return "<details><summary>Answers</summary><table>\(rows.joined())</table></details>"
    }

    private static func resolved(_ description: JSONLiteral?, _ document: JSONLiteral) -> JSONLiteral? {
        guard let path = description?["$ref"]?.text?.split(separator: "/").dropFirst() else { return description }
        return path.reduce(document) { $0?[String($1)] }
    }
}

// MARK: Examples

extension DocsPage {
    private static let example = """
        curl \(base)/v1/images/kolors-virtual-try-on \\
          -H "Authorization: Bearer sk-..." -H "Content-Type: application/json" \\
          -d '{"human_image": "https://shop.example.com/person.jpg", "cloth_image": "https://shop.example.com/garment.jpg"}'
        """

    private static func curl(_ path: String, _ method: String, _ operation: JSONLiteral, _ needsKey: Bool) -> String {
        var lines = [
            "curl \(base)\(path.replacing("{", with: "").replacing("}", with: "").replacing("/id", with: "/ID"))"
        ]
        if needsKey { lines.append(#"  -H "Authorization: Bearer sk-...""#) }
        if method == "post", let body = operation["requestBody"]?["content"]?.members.first {
            lines.append(
                body.name == "multipart/form-data" ? "  -F ..." : #"  -H "Content-Type: \#(body.name)" -d @body"#)
        }
        return lines.joined(separator: " \\\n")
    }
}

// MARK: HTML

extension DocsPage {
    private static let style = """
        :root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:54rem;margin:2rem auto;padding:0 1rem}\
        code,pre{font:14px/1.45 ui-monospace,monospace}pre{overflow-x:auto;padding:.75rem;border:1px solid #8884;\
        border-radius:4px}h2{margin-top:2.5rem;border-bottom:1px solid #8884}h3{font-weight:normal;margin:2rem 0 0}\
        table{border-collapse:collapse}td{vertical-align:top;padding:.15rem 1rem .15rem 0}summary{cursor:pointer}
        """

    private static func table(_ rows: [(name: String, text: String)]) -> String {
        if rows.isEmpty { return "" }
        let lines = rows.map { "<tr><td><code>\(escaped($0.name))</code></td><td>\(marked($0.text))</td></tr>" }
        return "<table>\(lines.joined())</table>"
    }

    private static func paragraphs(_ text: JSONLiteral?) -> String {
        guard let text = text?.text else { return "" }
        return text.split(separator: "\n\n").map { paragraph in
            let lines = paragraph.split(separator: "\n").map { marked(String($0)) }
            return "<p>" + lines.joined(separator: "<br>") + "</p>"
        }.joined(separator: "\n")
    }

    /// Renders the part of CommonMark that the document uses: text between backticks is code.
    private static func marked(_ text: String) -> String {
        let parts = text.split(separator: "`", omittingEmptySubsequences: false)
        return parts.enumerated().map { index, part in
            let part = escaped(String(part))
            return index % 2 == 1 ? "<code>\(part)</code>" : part
        }.joined()
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
    }
}

extension JSONLiteral {
    fileprivate var members: [Member] {
        if case .object(let members) = self { members } else { [] }
    }
    fileprivate var elements: [JSONLiteral] {
        if case .array(let elements) = self { elements } else { [] }
    }
    fileprivate var text: String? {
        if case .string(let text) = self { text } else { nil }
    }
    /// The value as it appears in a sentence.
    fileprivate var shown: String {
        let json = String(decoding: json, as: UTF8.self)
        return text == nil || json == "\"\"" ? "`\(json)`" : "`\(text ?? "")`"
    }
}
