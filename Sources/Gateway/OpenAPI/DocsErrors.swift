/// The errors on the page: one table for each shape of error, with one row for each status. All operations share them.
struct DocsErrors {
    private struct Shape {
        /// The prefix of the names of its responses.
        let prefix: String
        /// The tag of its operations.
        let title: String
        var rows: [(status: String, lines: [String])] = []
    }

    private var shapes: [Shape] = []

    init(_ document: JSONLiteral) {
        let operations = (document["paths"]?.members ?? []).flatMap(\.value.members).map(\.value)
        for operation in operations {
            for response in operation["responses"]?.members ?? [] {
                guard let name = Self.name(response.value), let title = operation["tags"]?.elements.first?.text,
                    !shapes.contains(where: { $0.prefix == Self.prefix(name) })
                else { continue }
                shapes.append(Shape(prefix: Self.prefix(name), title: title))
            }
        }
        for response in document["components"]?["responses"]?.members ?? [] { add(response) }
    }

    private mutating func add(_ response: JSONLiteral.Member) {
        let prefix = Self.prefix(response.name)
        let status = String(response.name.dropFirst(prefix.count).prefix(3))
        guard let shape = shapes.firstIndex(where: { $0.prefix == prefix }) else { return }
        let lines = (response.value["description"]?.text ?? "").split(separator: "\n").map { line in
            String(line.hasPrefix("- ") ? line.dropFirst(2) : line)
        }
        if let row = shapes[shape].rows.firstIndex(where: { $0.status == status }) {
            let known = shapes[shape].rows[row].lines
            shapes[shape].rows[row].lines += lines.filter { !known.contains($0) }
        } else {
            shapes[shape].rows.append((status, lines))
        }
    }

    /// The section as HTML.
    var html: String {
        "<h2 id=\"errors\">Errors</h2>\n"
            + shapes.map { shape in
                let rows = shape.rows.sorted { $0.status < $1.status }.map { row in
                    [
                        "<span id=\"\(shape.prefix)-\(row.status)\">\(row.status)</span>",
                        row.lines.map(DocsHTML.marked).joined(separator: "<br>"),
                    ]
                }
                return "<h3>\(DocsHTML.escaped(shape.title))</h3>" + DocsHTML.table(["Status", "When"], rows)
            }.joined(separator: "\n")
    }

    /// The statuses of an operation's errors as links to the tables, as HTML.
    func links(_ responses: [JSONLiteral.Member]) -> String {
        let links = responses.compactMap { response in
            Self.name(response.value).map { "<a href=\"#\(Self.prefix($0))-\(response.name)\">\(response.name)</a>" }
        }
        return links.isEmpty ? "" : "<p>Errors: \(links.joined(separator: ", ")).</p>"
    }

    private static func name(_ response: JSONLiteral) -> String? {
        response["$ref"]?.text?.split(separator: "/").last.map(String.init)
    }

    private static func prefix(_ name: String) -> String { String(name.prefix { $0.isLetter }) }
}
