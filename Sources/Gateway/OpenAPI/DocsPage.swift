/// The page at `/docs`: self-contained HTML, made from the OpenAPI document alone.
struct DocsPage: Sendable {
    /// The page, with a placeholder for the gateway's URL.
    private let template: String

    /// Makes the page from an OpenAPI document.
    init(document: JSONLiteral) {
        let entries = DocsEntry.all(document)
        let tags = (document["tags"]?.elements ?? []).compactMap { $0["name"]?.text }
        let groups = tags.map { tag in (tag, entries.filter { $0.tag == tag }) }.filter { !$0.1.isEmpty }
        let members = DocsMembers(document: document)
        let errors = DocsErrors(document)
        template = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <title>Kling Gateway</title><style>\(DocsHTML.style)</style></head><body>
            <header><h1>Kling Gateway</h1>
            \(DocsHTML.paragraphs(document["info"]?["description"]))
            <p>Machine-readable: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p></header>
            \(Self.contents(groups, errors))
            <h2 id="start">Start</h2>
            \(DocsHTML.paragraphs(document["components"]?["securitySchemes"]?["key"]?["description"]))
            <p>The examples below run in a shell, in a folder with a <code>person.jpg</code> and a
            <code>garment.jpg</code>, once it knows your key:</p>
            <pre>export KEY=sk-...</pre>
            <p><code>$ID</code> and <code>$NAME</code> stand for what an earlier answer has named, such as its
            <code>task_id</code>.</p>
            \(members.types)
            \(groups.map { Self.section($0, $1, members, errors) }.joined())
            \(errors.html)
            <h2 id="headers">Header fields of answers</h2>
            \(members.headers)
            </body></html>

            """
    }

    /// The page, with examples for a gateway at `base`.
    func html(base: String) -> String { template.replacing(DocsExamples.base, with: DocsHTML.escaped(base)) }

    private static func contents(_ groups: [(tag: String, entries: [DocsEntry])], _ errors: DocsErrors) -> String {
        let items = groups.map { tag, entries in
            let paths = entries.map { entry in
                "<li><a href=\"#\(entry.anchor)\"><code>\(DocsHTML.escaped(entry.path))</code></a> "
                    + DocsHTML.escaped(entry.summaries.joined(separator: "; ")) + "</li>"
            }
            return
                "<li><a href=\"#\(DocsHTML.anchor(tag))\">\(DocsHTML.escaped(tag))</a><ul>\(paths.joined())</ul></li>"
        }
        return """
            <nav><h2>Contents</h2><ul><li><a href="#start">Start</a></li>\(items.joined(separator: "\n"))
            <li><a href="#errors">Errors</a></li><li><a href="#headers">Header fields of answers</a></li></ul></nav>
            """
    }

    private static func section(
        _ tag: String, _ entries: [DocsEntry], _ members: DocsMembers, _ errors: DocsErrors
    ) -> String {
        "<h2 id=\"\(DocsHTML.anchor(tag))\">\(DocsHTML.escaped(tag))</h2>\n"
            + entries.map { $0.html(members, errors) }.joined()
    }
}

/// One path on the page, with the other paths that serve the same operations.
struct DocsEntry {
    let path: String
    private(set) var others: [String] = []
    let tag: String
    private let item: JSONLiteral
    private let operations: [JSONLiteral.Member]

    private init?(_ path: JSONLiteral.Member) {
        self.path = path.name
        item = path.value
        operations = path.value.members.filter { $0.value["responses"] != nil }
        // A path that is only described in words has no tag: `all` gives it the tag of the path before it.
        tag = operations.first?.value["tags"]?.elements.first?.text ?? ""
    }

    /// The document's paths, in its order. A path that serves the same operations as an earlier one is listed with it.
    static func all(_ document: JSONLiteral) -> [DocsEntry] {
        var entries: [DocsEntry] = []
        for path in document["paths"]?.members ?? [] {
            guard var entry = DocsEntry(path) else { continue }
            if entry.tag.isEmpty, let last = entries.last { entry = DocsEntry(entry, tag: last.tag) }
            if let known = entries.firstIndex(where: { $0.serves(entry) }) {
                entries[known].others.append(entry.path)
            } else {
                entries.append(entry)
            }
        }
        return entries
    }

    private init(_ entry: DocsEntry, tag: String) {
        (path, item, operations, self.tag) = (entry.path, entry.item, entry.operations, tag)
    }

    /// Whether the other path serves the same operations: they differ at most in their names and responses.
    private func serves(_ other: DocsEntry) -> Bool { !operations.isEmpty && nameless == other.nameless }

    private var nameless: [[JSONLiteral.Member]] {
        operations.map { operation in
            [.init(name: operation.name, value: [:])]
                + operation.value.members.filter { !["operationId", "responses"].contains($0.name) }
        }
    }

    /// The `id` of its section.
    var anchor: String { DocsHTML.anchor(path) }

    /// The summaries of the path and its methods.
    var summaries: [String] { ([item] + operations.map(\.value)).compactMap { $0["summary"]?.text } }

    /// The section as HTML.
    func html(_ members: DocsMembers, _ errors: DocsErrors) -> String {
        let also = others.map { "<code>\(DocsHTML.escaped($0))</code>" }.joined(separator: ", ")
        let words = item["summary"].map { _ in Self.words(item) } ?? ""
        return """
            <section id="\(anchor)"><h3><code>\(DocsHTML.escaped(path))</code></h3>
            \(also.isEmpty ? "" : "<p>Also at \(also).</p>")\(words)
            \(operations.map { method($0.name, $0.value, members, errors) }.joined())</section>

            """
    }

    private static func words(_ item: JSONLiteral) -> String {
        "<h4>\(DocsHTML.escaped(item["summary"]?.text ?? ""))</h4>\(DocsHTML.paragraphs(item["description"]))"
    }

    private func method(
        _ method: String, _ operation: JSONLiteral, _ members: DocsMembers, _ errors: DocsErrors
    ) -> String {
        let needsKey = operation["security"]?.elements.isEmpty == false
        let success = operation["responses"]?["200"]
        let examples = DocsExamples(path: path, method: method, operation: operation, needsKey: needsKey)
        return """
            <h4><b>\(method.uppercased())</b> \(DocsHTML.escaped(operation["summary"]?.text ?? ""))</h4>
            \(DocsHTML.paragraphs(operation["description"]))\(needsKey ? "" : "<p>Needs no key.</p>")
            \(members.parameters(operation["parameters"]?.elements ?? []))
            \(members.bodies(operation["requestBody"]?["content"]?.members ?? []))
            \(examples.html)
            <h5>Answer</h5><p>\(DocsHTML.marked(success?["description"]?.text ?? ""))</p>
            \(members.answer(success))
            \(errors.links(operation["responses"]?.members ?? []))
            """
    }
}
