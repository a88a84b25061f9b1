internal import ArgumentParser
internal import KlingAPI

/// Shows the changes that operators have made.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Show the changes that operators have made, newest first.")

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "Only changes of this key, tenant, task or delivery.") var target: String?
    @Option(help: "Only entries before this number.") var before: Int?
    @Option(help: "The maximum number of entries.") var limit = 50
    @Flag(help: "Print JSON, one object per line, with what was before and after.") var json = false

    func run() async throws {
        let query = [("target", target), ("before", before.map { "\($0)" }), ("limit", "\(limit)")]
        let entries = try await options.withAdmin { try await $0.list("audit", query: query) }
        if json {
            for entry in entries { print(entry.line) }
            return
        }
        TextTable("ENTRY", "TIME", "WHO", "FROM", "ACTION", "TARGET", rows: entries.map(\.row))
            .show(ifEmpty: "there are no entries")
    }
}

extension JSONObject {
    /// The cells of an entry's row.
    fileprivate var row: [String] {
        [cell("entry"), time("at"), cell("who"), cell("from"), cell("action"), cell("target")]
    }
}
