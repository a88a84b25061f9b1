import Foundation
import TestKit
import Testing

/// The rules for Prometheus and the dashboard for Grafana, checked with Prometheus' own tool.
@Suite(.aFewAtATime) struct AlertRuleTests {
    private static let rules = RealClient.root.appending(path: "Config/prometheus-rules.yaml")
    private static let dashboard = RealClient.root.appending(path: "Config/grafana-dashboard.json")

    /// Where `promtool` is; nil if it is not installed.
    private static let promtool: String? = {
        let own = RealClient.root.appending(path: ".build/promtool/promtool").path
        if FileManager.default.isExecutableFile(atPath: own) { return own }
        return RealClient.isInstalled("promtool") ? "promtool" : nil
    }()

    /// Runs `promtool`, which must find nothing wrong.
    private static func check(_ arguments: String..., reading file: String = "/dev/null") async throws {
        guard let promtool else { try Test.cancel("promtool is not installed: `make deps` installs it") }
        let script = #"file=$1; shift; exec "$@" <"$file""#
        let outcome = try await Program("bash", ["-c", script, "-", file, promtool] + arguments).end(within: 120)
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.output)\n\(outcome.errors)")
    }

    // MARK: Promtool

    @Test func `the rules are valid`() async throws { try await Self.check("check", "rules", Self.rules.path) }

    @Test func `each alert fires and clears`() async throws {
        let tests = RealClient.root.appending(path: "Tests/Alerts/rules-test.yaml").path
        try await Self.check("test", "rules", tests)
        let text = try String(contentsOfFile: tests, encoding: .utf8)
        for alert in try Self.alerts() { #expect(text.contains("name: \(alert)"), "\(alert) has no test") }
    }

    @Test func `the dashboard's expressions are valid`() async throws {
        let records = try Self.expressions().enumerated().map { number, expression in
            "      - { record: 'panel:\(number)', expr: '\(expression.replacingOccurrences(of: "'", with: "''"))' }\n"
        }
        #expect(records.count > 40)
        let folder = try TemporaryFolder()
        let file = try folder.write("groups:\n  - name: all\n    rules:\n" + records.joined(), to: "panels.yaml")
        try await Self.check("check", "rules", "--lint=none", file)
    }

    @Test func `the metrics of a gateway that has served are clean`() async throws {
        try await Self.withMetrics { page in
            let folder = try TemporaryFolder()
            try await Self.check("check", "metrics", reading: try folder.write(page, to: "metrics"))
        }
    }

    // MARK: Names

    @Test func `every metric of the rules and the dashboard exists and is documented`() async throws {
        let table = try String(contentsOf: RealClient.root.appending(path: "docs/metrics.md"), encoding: .utf8)
        try await Self.withMetrics { page in
            let names = try Self.names(String(contentsOf: Self.rules, encoding: .utf8))
                .union(Self.expressions().flatMap(Self.names))
            #expect(names.count > 40)
            for name in names {
                #expect(page.contains("# TYPE \(name) "), "the gateway has no metric \(name)")
                #expect(table.contains("`\(name.dropFirst("kling_gateway_".count))`"), "\(name) is not documented")
            }
        }
    }

    @Test func `every runbook is a heading of the operations page`() throws {
        let page = try String(contentsOf: RealClient.root.appending(path: "docs/operations.md"), encoding: .utf8)
        let headings = Set(page.matches(of: /(?m)^###? (.+)$/).map { $0.1.lowercased().replacing(" ", with: "-") })
        let text = try String(contentsOf: Self.rules, encoding: .utf8)
        let links = text.matches(of: /runbook: docs\/operations\.md#(\S+)/).map { String($0.1) }
        #expect(links.count == (try Self.alerts().count))
        for link in links { #expect(headings.contains(link), "\(link)") }
    }

    // MARK: The dashboard

    @Test func `the dashboard works in any Grafana from version 10 on`() throws {
        let board = try Self.board()
        #expect(board["schemaVersion"] as? Int == 38)
        #expect(board["timezone"] as? String == "browser")
        #expect((board["time"] as? [String: String]) == ["from": "now-6h", "to": "now"])
        #expect(board["id"] == nil && board["__inputs"] == nil, "an id or inputs would tie it to one Grafana")
        let panels = try #require(board["panels"] as? [[String: Any]])
        let rows = panels.filter { $0["type"] as? String == "row" }.compactMap { $0["title"] as? String }
        #expect(
            rows == [
                "Traffic", "Latency", "Accounts and slots", "Queue", "Tasks", "Callbacks", "Budgets", "Store",
                "Process",
            ])
        #expect(Set(panels.compactMap { $0["id"] as? Int }).count == panels.count)
        for panel in panels where panel["type"] as? String != "row" {
            let source = panel["datasource"] as? [String: String]
            #expect(source == ["type": "prometheus", "uid": "${datasource}"], "\(panel["title"] ?? "")")
            #expect((panel["description"] as? String) != nil && (panel["targets"] as? [Any])?.isEmpty == false)
        }
    }

    // MARK: Reading the files

    private static func board() throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: dashboard)) as? [String: Any])
    }

    /// The dashboard's expressions, with values in place of Grafana's variables.
    private static func expressions() throws -> [String] {
        let panels = try board()["panels"] as? [[String: Any]] ?? []
        return panels.flatMap { $0["targets"] as? [[String: Any]] ?? [] }.compactMap { $0["expr"] as? String }
            .map { $0.replacingOccurrences(of: "$__rate_interval", with: "5m") }
    }

    private static func alerts() throws -> [String] {
        try String(contentsOf: rules, encoding: .utf8).matches(of: /- alert: (\w+)/).map { String($0.1) }
    }

    /// The families that a text names.
    private static func names(_ text: String) -> Set<String> {
        Set(text.matches(of: /kling_gateway_[a-z_]+/).map { String($0.0).replacing(/_bucket$/, with: "") })
    }

    /// Runs `body` with `/metrics` of a gateway that has made a task and answered an error.
    private static func withMetrics(_ body: (String) async throws -> Void) async throws {
        try await Fixture.run { fixture in
            _ = try await fixture.createdTask()
            _ = try await fixture.gateway.ask("GET", Fixture.path + "/none")
            try await body(try await fixture.gateway.ask("GET", "/metrics", key: nil, admin: true).text)
        }
    }
}
