internal import Base
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Reports what tenants have used.
enum UsageCalls {
    private static let day = AdminMember.Kind.text(10...10)
    private static let dayPattern = "^(|[0-9]{4}-[0-9]{2}-[0-9]{2})$"

    static let routes = [
        AdminRoute(
            method: .get, path: "/admin/v1/usage", name: "getUsage", summary: "Report what was made and used.",
            details: """
                The answer is streamed, and has as many rows as there are. Days are those of the tenant's time zone. \
                `format=csv` has the same columns as the members of JSON, with a column `cash` such as `0.07 USD`.
                """,
            query: [
                AdminMember(
                    "from", day, "The first day, `YYYY-MM-DD`; by default, the first of the current month.",
                    pattern: dayPattern),
                AdminMember("to", day, "The last day; by default, today.", pattern: dayPattern),
                AdminMember(
                    "by", .words(UsageDimension.allCases.map(\.rawValue)),
                    "What rows tell apart, in the order in which they are sorted; by default, `tenant`."),
                AdminMember("tenant", .text(1...64), "Only this tenant."),
                AdminMember("format", .word(["json", "csv"]), "`json` by default."),
            ],
            answer: AdminRoute.Answer(
                description: "The rows.", mediaTypes: ["application/json", "text/csv"],
                schema: AdminSchemas.list(UsageRow.schema)),
            handle: report)
    ]

    private static func report(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        let query = try query(request)
        let format: UsageReport.Format = request.query.text("format") == "csv" ? .csv : .json
        let report = UsageReport(query, format, parts.store.usage)
        // What is wrong with the store is told by the status, if it is found with the first rows.
        let first = try await report.next() ?? []
        return AdminReply(
            status: 200, mediaType: format.mediaType,
            body: .stream {
                if let start = report.takeStart(first) { return start }
                return try await report.next()
            },
            headers: format == .csv
                ? [(name: "Content-Disposition", value: "attachment; filename=\"usage.csv\"")] : [])
    }

    private static func query(_ request: AdminRequest) throws(AdminError) -> UsageQuery {
        let today = CivilDate.day(of: request.time)
        let date = CivilDate(day: today)
        let from = try day("from", request) ?? CivilDate(year: date.year, month: date.month, day: 1).number
        let to = try day("to", request) ?? max(from, today)
        guard from <= to else { throw .value("to", "must not be before from") }
        let words = request.query.texts("by") ?? [UsageDimension.tenant.rawValue]
        return UsageQuery(
            days: from...to, by: words.compactMap { UsageDimension(rawValue: $0) }, tenant: request.query.text("tenant")
        )
    }

    private static func day(_ name: String, _ request: AdminRequest) throws(AdminError) -> Int? {
        guard let text = request.query.text(name) else { return nil }
        guard let date = CivilDate(text) else { throw .value(name, "must be a day such as 2026-12-24") }
        return date.number
    }
}
