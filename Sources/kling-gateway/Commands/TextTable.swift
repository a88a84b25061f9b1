/// A list for people: a line of headings, and a line for each row, in columns.
struct TextTable {
    private var lines: [[String]]

    init(_ headings: String..., rows: [[String]]) { self.init(headings: headings, rows: rows) }

    init(headings: [String], rows: [[String]]) { lines = [headings] + rows }

    /// Prints the table to standard output. An empty one prints nothing there, and `note` to standard error.
    func show(ifEmpty note: String) {
        if lines.count == 1 { return printError(note) }
        let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        for line in lines {
            let cells = zip(line, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            let text = cells.joined(separator: "  ")
            print(String(text.reversed().drop { $0 == " " }.reversed()))
        }
    }
}
