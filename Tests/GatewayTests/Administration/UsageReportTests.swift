import Foundation
import Testing

@testable import Gateway
@testable import TaskStore

/// Reports of usage as they are sent.
struct UsageReportTests {
    private static let query = UsageQuery(days: 0...1, by: [.tenant])

    private static func text(_ format: UsageReport.Format, _ store: ManyRows) async throws -> String {
        let report = UsageReport(query, format, store)
        var text = ""
        while let part = try await report.next() {
            for slice in part { text += slice.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
        }
        return text
    }

    @Test(arguments: [0, 1, 9_999, 10_000, 10_001, 20_500]) func `a report has every row once`(count: Int) async throws
    {
        let store = ManyRows(names: (0..<count).map { "tenant-\($0)" })
        let json = try await Self.text(.json, store)
        let rows = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]]
        #expect(rows?.map { $0["tenant"] as? String } == store.names)
        let lines = try await Self.text(.csv, store).split(separator: "\r\n")
        #expect(lines.first?.hasPrefix("tenant,made,") == true)
        #expect(lines.dropFirst().map { String($0.prefix { $0 != "," }) } == store.names)
    }

    @Test func `a report that cannot be read to its end does not look like a whole one`() async throws {
        let store = ManyRows(names: (0..<12_500).map(String.init), failsAfter: 1000)
        await #expect(throws: StoreError.self) { _ = try await Self.text(.csv, store) }
    }

    @Test func `fields of CSV are quoted, and none is a formula`() async throws {
        let names = [#"a "quoted", name"#, "=1+1", "-2", "plain"]
        let lines = try await Self.text(.csv, ManyRows(names: names)).split(separator: "\r\n").dropFirst()
        let starts = [#""a ""quoted"", name","#, "'=1+1,", "'-2,", "plain,"]
        #expect(lines.count == starts.count && zip(lines, starts).allSatisfy { $0.hasPrefix($1) }, "\(lines)")
    }
}

/// A store of reports with a row for each name.
private struct ManyRows: UsageStore {
    let names: [String]
    /// From which row on the store cannot be read.
    var failsAfter = Int.max

    func budgets(of tenant: String, on day: Int) async throws(StoreError) -> [BudgetUse] { [] }

    func report(_ query: UsageQuery, skipping skipped: Int, limit: Int) async throws(StoreError) -> [UsageRow] {
        if skipped > failsAfter { throw StoreError(.unavailable, "the disk is gone") }
        return names.dropFirst(skipped).prefix(limit).map { UsageRow(values: [$0]) }
    }
}
