internal import ArgumentParser
internal import KlingAPI

/// Reports what tenants have made and used.
struct UsageCommand: AsyncParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable { case table, csv, json }

    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "Report what tenants have made and used.")

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "The first day, such as 2026-12-01; by default, the first of the current month.") var from: String?
    @Option(help: "The last day; by default, today.") var to: String?
    @Option(help: "What rows tell apart, with commas between: tenant, day, key, account, model, outcome.")
    var by = "tenant"
    @Option(help: "Only this tenant.") var tenant: String?
    @Option(help: "A table for people, or CSV or JSON for programs.") var format = Format.table

    func run() async throws {
        let query = [
            ("from", from), ("to", to), ("by", by), ("tenant", tenant),
            ("format", format == .csv ? "csv" : "json"),
        ]
        try await options.withAdmin { admin in
            if format != .table { return try await admin.print("usage", query: query) }
            let rows = try await admin.list("usage", query: query)
            let dimensions = by.split(separator: ",").map(String.init)
            let headings = ["MADE", "SUCCEEDED", "FAILED", "RUNNING", "UNITS", "CASH", "MEDIAN", "P95"]
            TextTable(
                headings: dimensions.map { $0.uppercased() } + headings, rows: rows.map { $0.usageRow(dimensions) }
            ).show(ifEmpty: "nothing was used")
        }
    }
}

extension JSONObject {
    /// The cells of a report's row.
    fileprivate func usageRow(_ dimensions: [String]) -> [String] {
        let values = dimensions.map { name in
            members.first { self.name(of: $0) == name }.flatMap { text(of: $0) } ?? ""
        }
        let paid = object("cash").map { cash in cash.members.map { "\(cash.json(of: $0)) \(cash.name(of: $0))" } } ?? []
        return values
            + [
                cell("made"), cell("succeeded"), cell("failed"), cell("running"), number("units") ?? "",
                paid.joined(separator: " "), seconds("seconds_median"), seconds("seconds_p95"),
            ]
    }

    private func seconds(_ name: StaticString) -> String { number(name).map { "\($0) s" } ?? "" }
}
