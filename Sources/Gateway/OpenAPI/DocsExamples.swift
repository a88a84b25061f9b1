/// The curl commands of an operation: one for each type of body, with the values of the document's examples.
struct DocsExamples {
    let path: String
    let method: String
    let operation: JSONLiteral
    let needsKey: Bool

    /// A placeholder for the gateway's URL.
    static let base = "\u{1}"

    /// A command of the document, with the placeholder in place of the gateway's default address.
    static func atBase(_ command: some StringProtocol) -> String {
        String(command.trimming("\n")).replacing("http://localhost:8080", with: base)
    }

    /// The commands as HTML; empty for operations that only Kling calls.
    var html: String {
        let bodies = operation["requestBody"]?["content"]?.members ?? []
        if !needsKey, path.contains("{") || !bodies.isEmpty { return "" }
        let commands = bodies.isEmpty ? [command(nil)] : bodies.map { command($0) }
        return "<h5>Example</h5>" + commands.map { "<pre>\(DocsHTML.escaped($0))</pre>" }.joined()
    }

    private func command(_ body: JSONLiteral.Member?) -> String {
        var lines = ["curl \(url)"]
        var fields = needsKey ? [#"-H "Authorization: Bearer $KEY""#] : []
        var input = ""
        if let body, body.name == "multipart/form-data" {
            fields += (body.value["example"]?.members ?? []).flatMap(Self.parts)
        } else if let body {
            fields += [#"-H "Content-Type: \#(body.name)""#, "-d @- <<END"]
            input = "\n\(Self.json(body.value["example"] ?? [:]))\nEND"
        }
        if !fields.isEmpty { lines.append("  " + fields.joined(separator: " ")) }
        return lines.joined(separator: " \\\n") + input
    }

    /// The URL, with shell variables for the ids and names in its path and query.
    private var url: String {
        let words = path.replacing("{id}", with: "$ID").replacing("{name}", with: "$NAME")
        let query = (operation["parameters"]?.elements ?? []).filter {
            $0["in"]?.text == "query" && $0["required"] == .bool(true)
        }
        let pairs = query.map { "\($0["name"]?.text ?? "")=$ID" }
        return pairs.isEmpty ? Self.base + words : "\"\(Self.base)\(words)?\(pairs.joined(separator: "&"))\""
    }

    /// The file that a text of an example links to; nil if the text is not such a link.
    private static func file(_ value: JSONLiteral) -> Substring? {
        let host = OperationDescription.exampleHost
        return value.text.flatMap { $0.hasPrefix(host) ? $0.dropFirst(host.count) : nil }
    }

    private static func parts(_ member: JSONLiteral.Member) -> [String] {
        if case .array(let elements) = member.value {
            return elements.flatMap { parts(.init(name: member.name + "[]", value: $0)) }
        }
        let value = file(member.value).map { "@\($0)" } ?? member.value.text ?? ""
        return ["-F '\(member.name)=\(value)'"]
    }

    /// The example as JSON for a here-document. The shell inserts files as base64, and curl removes its line breaks.
    private static func json(_ value: JSONLiteral) -> String {
        if let file = file(value) { return #""$(base64 < \#(file))""# }
        switch value {
        case .array(let elements): return "[" + elements.map(json).joined(separator: ", ") + "]"
        case .object(let members):
            return "{" + members.map { "\"\($0.name)\": \(json($0.value))" }.joined(separator: ", ") + "}"
        default: return String(decoding: value.json, as: UTF8.self)
        }
    }
}

extension StringProtocol {
    /// The text without any of `letters` at its start and end.
    fileprivate func trimming(_ letters: String) -> SubSequence {
        let start = drop { letters.contains($0) }
        return self[
            start.startIndex..<(start.lastIndex { !letters.contains($0) }.map(index(after:)) ?? start.startIndex)]
    }
}
