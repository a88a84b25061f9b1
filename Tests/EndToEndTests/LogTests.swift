import Foundation
import KlingSimulator
import TestKit
import Testing

/// What the log says about one request, and about one task.
@Suite(.aFewAtATime) struct LogTests {
    private static let settings = "log: { level: debug }\nquery: { freshness: 10ms }"

    /// The log lines so far whose `field` contains `value`.
    private static func lines(_ rig: Rig, _ field: String, _ value: String) -> [[String: String]] {
        rig.gateway.program.errorText.split(separator: "\n").compactMap { line in
            (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: String]
        }
        .filter { $0[field]?.contains(value) == true }
    }

    /// The lines among them that are calls to Kling of this kind.
    private static func calls(_ lines: [[String: String]], _ kind: String) -> [[String: String]] {
        lines.filter { $0["message"] == "call to Kling" && $0["kind"] == kind }
    }

    @Test(arguments: SimulatedAPI.either)
    func `a request's id leads to its calls to Kling, and a task's to all of them`(_ api: SimulatedAPI) async throws {
        try await Rig.run([.speaking(api)], settings: Self.settings, duration: 100...100) { rig in
            let id = try await rig.create(headers: ["X-Request-Id: create-1"]).createdTask()
            let path = "\(Fixture.path)/\(id)"
            try await eventually("the task has ended") {
                try await rig.gateway.ask("GET", path, headers: ["X-Request-Id: query-1"]).data["task_status"]
                    as? String == "succeed"
            }
            try await eventually("all is written") {
                Self.lines(rig, "request_id", "query-1").contains { $0["message"] == "request" }
            }
            let created = Self.lines(rig, "request_id", "create-1")
            let create = try #require(Self.calls(created, "create").first)
            let access = try #require(created.first { $0["message"] == "request" })
            let task = try #require(create["task"])
            #expect(access["task"] == task && access["account"] == "kling")
            #expect(create["account"] == "kling" && create["upstream_request_id"]?.isEmpty == false)
            let query = try #require(Self.calls(Self.lines(rig, "request_id", "query-1"), "query").first)
            #expect(query["task"] == task)
            #expect(Self.lines(rig, "task", task).count >= 4, "two requests and two calls")
        }
    }

    @Test(arguments: [("", true, "text"), ("", false, "json"), ("json", true, "json"), ("text", false, "text")])
    func `the log is text on a terminal and JSON elsewhere, unless the configuration says which`(
        format: String, isOnTerminal: Bool, expected: String
    ) async throws {
        let folder = try TemporaryFolder()
        let environment = try await GatewayProcess.environment(kling: "http://127.0.0.1:9", folder)
            .merging(["KLING_GATEWAY_LOG_FORMAT": format]) { $1 }
        let gateway = Program.products.appending(path: "kling-gateway").path
        let program =
            try isOnTerminal
            ? Program("script", ["-qfec", "exec \(gateway) serve", "/dev/null"], environment: environment)
            : Program.gateway(["serve"], environment: environment)
        let find: @Sendable (Substring) -> String? = { $0.contains("serving") ? String($0) : nil }
        let line = try await isOnTerminal ? program.outputLine(find) : program.errorLine(find)
        #expect(line.hasPrefix("{") == (expected == "json"), "\(line)")
        program.signal(SIGTERM)
        _ = try await program.end()
    }

    @Test func `work that no client waits for names its origin`() async throws {
        try await Rig.run(settings: Self.settings) { rig in
            try rig.fail("create:slow=60:1:1")
            let gateway = rig.gateway
            async let lost = try? gateway.create(headers: ["X-Request-Id: lost-1"])
            try await eventually("Kling has the create") { rig.creates() == 1 }
            try await rig.kill()
            _ = await lost
            try await rig.start(settings: Self.settings)
            try await eventually("the create is looked up") {
                !Self.calls(Self.lines(rig, "origin", "recovery"), "query").isEmpty
            }
        }
    }

    @Test func `a client that leaves is logged with its route, tenant, task and request id`() async throws {
        try await Rig.run(settings: Self.settings) { rig in
            try rig.fail("create:slow=3:1:1")
            let (port, body) = (rig.gateway.port, Fixture.body())
            let client = try await blocking { try RawClient(port: port) }
            let headers = ["X-Request-Id: left-1"]
            try await blocking { try client.send(Fixture.create(Array(body.utf8), headers)) }
            try await eventually("Kling has the create") { rig.creates() == 1 }
            client.reset()
            try await eventually("the exchange is logged") { !Self.lines(rig, "end", "client_gone").isEmpty }
            let line = try #require(Self.lines(rig, "request_id", "left-1").first { $0["message"] == "request" })
            #expect(line["status"] == "499" && line["route"] == "try_on" && line["tenant"] == "shop", "\(line)")
            #expect(line["task"] != nil && line["account"] == "kling" && line["upstream_us"] != nil, "\(line)")
        }
    }
}
