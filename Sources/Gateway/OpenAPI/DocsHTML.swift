/// Builds the page's HTML from texts of the document.
enum DocsHTML {
    static let style = """
        :root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
        code,pre{font:14px/1.45 ui-monospace,monospace}pre{overflow-x:auto;padding:.75rem;border:1px solid #8884;\
        border-radius:4px}h2{margin-top:2.5rem;border-bottom:1px solid #8884}h3{margin:2.5rem 0 0}\
        h4{margin:1.5rem 0 0}h5{margin:1rem 0 0}nav ul{padding-left:1.2rem}\
        table{border-collapse:collapse;margin:.5rem 0}th{text-align:left}\
        th,td{vertical-align:top;padding:.2rem 1rem .2rem 0;border-bottom:1px solid #8884;overflow-wrap:anywhere}\
        td:first-child{min-width:9rem}\
        @media print{body{max-width:none;margin:0}pre{white-space:pre-wrap}h3,h4,h5,tr{break-after:avoid}\
        pre,tr{break-inside:avoid}a{color:inherit;text-decoration:none}}
        """

    /// A table; empty if it has no rows. The headings and cells are HTML.
    static func table(_ headings: [String], _ rows: [[String]]) -> String {
        if rows.isEmpty { return "" }
        let head = headings.map { "<th>\($0)</th>" }.joined()
        let lines = rows.map { "<tr>" + $0.map { "<td>\($0)</td>" }.joined() + "</tr>" }
        return "<table><thead><tr>\(head)</tr></thead><tbody>\(lines.joined(separator: "\n"))</tbody></table>"
    }

    /// Renders the part of CommonMark that the document uses: paragraphs, lists, code between backticks and fences.
    static func paragraphs(_ text: JSONLiteral?) -> String {
        guard let text = text?.text, !text.isEmpty else { return "" }
        let parts = text.split(separator: "```", omittingEmptySubsequences: false)
        return parts.enumerated().map { index, part in
            if index % 2 == 1 { return "<pre>\(escaped(DocsExamples.atBase(part)))</pre>" }
            return part.split(separator: "\n\n").map { block(String($0)) }.joined(separator: "\n")
        }.joined(separator: "\n")
    }

    private static func block(_ text: String) -> String {
        let lines = text.split(separator: "\n")
        guard lines.first?.hasPrefix("- ") == true else { return "<p>\(marked(lines.joined(separator: " ")))</p>" }
        return "<ul>" + lines.map { "<li>\(marked(String($0.dropFirst(2))))</li>" }.joined() + "</ul>"
    }

    /// Escapes a text, and renders what is between backticks as code.
    static func marked(_ text: String) -> String {
        let parts = text.split(separator: "`", omittingEmptySubsequences: false)
        return parts.enumerated().map { index, part in
            let part = escaped(String(part))
            return index % 2 == 1 ? "<code>\(part)</code>" : part
        }.joined()
    }

    /// The `id` of the heading `text`, for links to it.
    static func anchor(_ text: String) -> String {
        text.split { !$0.isASCII || !($0.isLetter || $0.isNumber) }.joined(separator: "-")
    }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
    }
}
