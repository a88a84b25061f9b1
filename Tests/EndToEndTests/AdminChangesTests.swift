import Foundation
import KlingSimulator
import TestKit
import Testing

/// What operators change while the gateway runs, and what they see of it.
@Suite(.aFewAtATime) struct AdminChangesTests {
    private static let token = "the-admin-token-of-the-test"
    private static let guarded = ["KLING_GATEWAY_ADMIN_TOKEN": token]

    /// A key, as the command that makes it prints it.
    private static func key(_ fixture: Fixture, _ arguments: String...) async throws -> [String: String] {
        let made = try await fixture.command(["keys"] + arguments + ["--json"])
        guard made.status == 0 else { throw TestKitError(made.errors) }
        return try JSONSerialization.jsonObject(with: Data(made.output.utf8)) as? [String: String] ?? [:]
    }

    /// Calls the administration API.
    private static func call(
        _ fixture: Fixture, _ method: String, _ path: String, _ body: String? = nil
    ) async throws -> RawClient.Answer {
        try await fixture.gateway.ask(
            method, "/admin/v1/" + path, key: token, headers: body == nil ? [] : ["Content-Type: application/json"],
            body: body, admin: true)
    }

    private static func list(_ answer: RawClient.Answer) throws -> [[String: Any]] {
        try JSONSerialization.jsonObject(with: answer.body.isEmpty ? Data("[]".utf8) : Data(answer.body))
            as? [[String: Any]] ?? []
    }

    // MARK: Keys

    @Test func `a key is switched off and on, and keeps its secrets for an overlap`() async throws {
        try await Fixture.run { fixture in
            let made = try await Self.key(fixture, "create", "--tenant", "t", "--name", "web shop")
            let id = try #require(made["id"])
            func status(_ key: String?) async throws -> Int {
                try await fixture.gateway.ask("GET", Fixture.path, key: key).status
            }
            #expect(try await status(made["key"]) == 200)
            #expect(try await fixture.command(["keys", "disable", id]).output == "\(id) is disabled\n")
            try await eventually("the key is switched off") { try await status(made["key"]) == 401 }
            #expect(try await fixture.command(["keys", "enable", id]).status == 0)
            try await eventually("the key is switched on") { try await status(made["key"]) == 200 }
            let turned = try await Self.key(fixture, "rotate", id, "--overlap", "1h")
            #expect(turned["id"] == id && turned["key"] != made["key"])
            try await eventually("the new secrets work") { try await status(turned["key"]) == 200 }
            #expect(try await status(made["key"]) == 200)
            let last = try await Self.key(fixture, "rotate", id)
            try await eventually("the old secrets have ended") { try await status(turned["key"]) == 401 }
            #expect(try await status(last["key"]) == 200)
            let shown = try await fixture.command(["keys", "show", id])
            #expect(shown.output.contains("web shop") && !shown.output.contains(last["key"] ?? ""))
        }
    }

    @Test func `rules given to a key are shown, changed one by one, and removed`() async throws {
        try await Fixture.run { fixture in
            let made = try await Self.key(
                fixture, "create", "--tenant", "t", "--requests-per-minute", "60", "--model",
                "kolors-virtual-try-on-v1",
                "--address", "10.0.0.0/8", "--expires", "2099-01-01")
            let id = try #require(made["id"])
            func shown(_ arguments: String...) async throws -> [String: Any] {
                let outcome = try await fixture.command(["keys"] + arguments + ["--json"])
                #expect(outcome.status == 0, "\(outcome.errors)")
                return try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any] ?? [:]
            }
            let first = try await shown("show", id)
            #expect(first["requests_per_minute"] as? Int == 60 && first["addresses"] as? [String] == ["10.0.0.0/8"])
            #expect(first["expires_at"] as? Int == 4_070_908_800_000 && first["concurrency"] == nil)
            // The key may not be used from here.
            let refused = try await fixture.create(key: made["key"])
            #expect(refused.status == 403, "\(refused.text)")
            let edited = try await shown(
                "edit", id, "--address", "any", "--requests-per-minute", "none", "--concurrency", "2")
            #expect(edited["addresses"] as? [String] == [] && edited["requests_per_minute"] == nil)
            #expect(edited["concurrency"] as? Int == 2 && edited["models"] as? [String] == first["models"] as? [String])
            try await eventually("the key works from here") {
                try await fixture.create(key: made["key"]).status == 200
            }
            for wrong in [["--concurrency", "0"], ["--expires", "soon"], ["--address", "10.0.0.0/99"]] {
                #expect(try await fixture.command(["keys", "edit", id] + wrong).status != 0)
            }
        }
    }

    // MARK: Budgets

    @Test func `a tenant's budget holds for its keys, and can be raised`() async throws {
        try await Fixture.run { fixture in
            func edit(_ arguments: String...) async throws -> [String: Any] {
                let outcome = try await fixture.command(["tenants", "edit", "shop", "--json"] + arguments)
                #expect(outcome.status == 0, "\(outcome.errors)")
                return try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any] ?? [:]
            }
            _ = try await edit("--budget", "tasks/total=1@50%", "--time-zone", "Europe/Berlin")
            _ = try await edit("--budget", "units/day=20.5")
            #expect(try await fixture.create().status == 200)
            let refused = try await fixture.create()
            #expect(refused.status == 429 && refused.text.contains("budget"), "\(refused.text)")
            let raised = try await edit("--raise", "tasks/total=2", "--until", "1h")
            let budgets = try #require(raised["budgets"] as? [[String: Any]])
            let tasks = try #require(budgets.first { $0["metric"] as? String == "tasks" })
            #expect(budgets.count == 2 && tasks["used"] as? Int == 1 && tasks["left"] as? Int == 1)
            #expect(tasks["warn_at_percent"] as? Int == 50 && (tasks["raise"] as? [String: Any])?["limit"] as? Int == 2)
            #expect(try await fixture.create().status == 200)
            #expect(try await fixture.create().status == 429)
            #expect(((try await edit("--budget", "tasks/total=none"))["budgets"] as? [Any])?.count == 1)
            try await eventually("the budget is gone") { try await fixture.create().status == 200 }
            // What answers contain can be sent back.
            let answer = try await fixture.gateway.ask("GET", "/admin/v1/tenants/shop", key: nil, admin: true)
            let sent = try JSONSerialization.data(withJSONObject: ["budgets": answer.json["budgets"] ?? []])
            let kept = try await fixture.gateway.ask(
                "PATCH", "/admin/v1/tenants/shop", key: nil, headers: ["Content-Type: application/json"],
                body: String(decoding: sent, as: UTF8.self), admin: true)
            #expect(kept.status == 200, "\(kept.text)")
        }
    }

    @Test(arguments: [
        (#"{"budgets":[{"metric":"tasks","period":"day","limit":1.5}]}"#, "budgets[0].limit"),
        (#"{"budgets":[{"metric":"tasks","period":"day","limit":-1}]}"#, "budgets[0].limit"),
        (#"{"budgets":[{"metric":"coins","period":"day","limit":1}]}"#, "budgets[0].metric"),
        (#"{"budgets":[{"metric":"tasks","limit":1}]}"#, "budgets[0].period"),
        (#"{"budgets":[{"metric":"tasks","period":"day","limit":1,"x":1}]}"#, "budgets[0].x"),
        (
            #"{"budgets":[{"metric":"tasks","period":"day","limit":1},{"metric":"tasks","period":"day","limit":2}]}"#,
            "budgets[1]"
        ), (#"{"time_zone":"CEST"}"#, "time_zone"), (#"{"addresses":["10.0.0.0/8","x"]}"#, "addresses[1]"),
        (#"{"budgets":null}"#, "budgets"),
    ])
    func `a tenant's wrong setting is refused by its name`(body: String, parameter: String) async throws {
        try await Fixture.run(environment: Self.guarded) { fixture in
            let refused = try await Self.call(fixture, "PATCH", "tenants/shop", body)
            #expect(refused.status == 400 && refused.json["param"] as? String == parameter, "\(refused.text)")
            #expect(try await Self.call(fixture, "GET", "audit").text == "[]\n")
        }
    }

    // MARK: The audit log

    @Test func `each change has one entry, without secrets`() async throws {
        try await Fixture.run(environment: Self.guarded) { fixture in
            let made = try await Self.call(
                fixture, "POST", "keys", #"{"tenant":"t","tenant_settings":{"concurrency":3},"name":"a"}"#)
            let id = try #require(made.json["id"] as? String)
            _ = try await Self.call(fixture, "PATCH", "keys/\(id)", #"{"name":"b"}"#)
            _ = try await Self.call(fixture, "PATCH", "keys/\(id)", #"{"name":"b"}"#)
            let turned = try await Self.call(fixture, "POST", "keys/\(id)/rotate", #"{"overlap_seconds":60}"#)
            _ = try await Self.call(fixture, "POST", "keys/\(id)/revoke")
            _ = try await Self.call(fixture, "POST", "keys/\(id)/revoke")
            #expect(try await Self.call(fixture, "POST", "keys/\(id)/rotate").status == 409)
            let hook = try await Self.call(fixture, "POST", "tenants/t/webhook-secrets/rotate")
            #expect(try await fixture.command(["tenants", "edit", "t", "--concurrency", "4"]).status == 0)
            let log = try await Self.call(fixture, "GET", "audit?limit=100")
            let entries = try Self.list(log)
            let actions = entries.reversed().map { $0["action"] as? String ?? "" }
            #expect(
                actions == [
                    "tenants.edit", "keys.create", "keys.edit", "keys.rotate", "keys.revoke", "webhook_secrets.rotate",
                    "tenants.edit",
                ])
            #expect(entries.last?["who"] as? String == "token" && entries.last?["from"] as? String == "127.0.0.1")
            let command = try #require(entries.first)
            #expect((command["who"] as? String)?.hasPrefix("command:") == true && command["from"] as? String == "local")
            #expect((command["before"] as? [String: Any])?["concurrency"] as? Int == 3)
            #expect((command["after"] as? [String: Any])?["concurrency"] as? Int == 4)
            for (answer, name) in [
                (made, "key"), (made, "secret_key"), (turned, "key"), (turned, "secret_key"), (hook, "webhook_secret"),
            ] {
                #expect(!log.text.contains(try #require(answer.json[name] as? String)))
            }
            #expect(try Self.list(await Self.call(fixture, "GET", "audit?target=\(id)")).count == 4)
            let page = try Self.list(await Self.call(fixture, "GET", "audit?before=3&limit=1"))
            #expect(page.map { $0["entry"] as? Int } == [2])
        }
    }

    // MARK: Usage

    @Test func `a report has the same rows as JSON, as CSV and as a table`() async throws {
        try await Fixture.run { fixture in
            for _ in 0..<3 { _ = try await fixture.createdTask() }
            #expect(try await fixture.create(key: GatewayProcess.otherKey).status == 200)
            let json = try await fixture.command(["usage", "--by", "tenant,model", "--format", "json"])
            let rows = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]] ?? []
            #expect(rows.map { $0["tenant"] as? String } == ["other", "shop"], "\(json.output)")
            #expect(rows.map { $0["made"] as? Int } == [1, 3])
            let csv = try await fixture.command(["usage", "--by", "tenant,model", "--format", "csv"])
            let lines = csv.output.split(separator: "\r\n").map { $0.split(separator: ",") }
            #expect(lines.first?.prefix(3) == ["tenant", "model", "made"] && lines.count == 3, "\(csv.output)")
            #expect(lines.dropFirst().map { $0[2] } == ["1", "3"])
            let table = try await fixture.command(["usage", "--by", "tenant,model"]).output.split(separator: "\n")
            #expect(table.count == 3 && table[0].hasPrefix("TENANT"), "\(table)")
            let none = try await fixture.command(["usage", "--from", "2001-01-01", "--to", "2001-01-31"])
            #expect(none.status == 0 && none.output.isEmpty)
            let wrong = try await fixture.command(["usage", "--from", "2026-02-30"])
            #expect(wrong.status == 1 && wrong.errors.contains("from must be a day"), "\(wrong.errors)")
        }
    }

    // MARK: A running gateway

    @Test func `an operator makes a task and sees its picture and the figures`() async throws {
        try await Fixture.run(environment: Self.guarded) { fixture in
            let person = Data(SamplePictures.person).base64EncodedString()
            let garment = Data(SamplePictures.garment).base64EncodedString()
            for members in [
                #""tenant":"t","human_image":"\#(person)","cloth_image":"\#(garment)""#,
                #""human_image":"\#(person)","tenant":"t","cloth_image":"\#(garment)""#,
                #""human_image":"\#(person)","cloth_image":"\#(garment)","tenant":"t""#,
            ] {
                let made = try await Self.call(fixture, "POST", "try-on", "{\(members)}")
                #expect(made.status == 201 && made.json["tenant"] as? String == "t", "\(made.text)")
            }
            let unnamed = try await Self.call(
                fixture, "POST", "try-on", #"{"human_image":"\#(person)","cloth_image":"\#(garment)"}"#)
            #expect(unnamed.json["tenant"] as? String == "console")
            let wrong = try await Self.call(fixture, "POST", "try-on", #"{"tenant":"t","human_image":"x"}"#)
            #expect(wrong.status == 400 && wrong.json["param"] as? String == "human_image", "\(wrong.text)")
            let id = try #require(unnamed.json["id"] as? String)
            var picture: RawClient.Answer?
            try await eventually("the task has a picture") {
                picture = try await Self.call(fixture, "GET", "tasks/\(id)/picture")
                return picture?.status == 200
            }
            #expect(picture?["Content-Type"] == "image/png" && picture?.body.starts(with: [0x89, 0x50]) == true)
            let task = try await Self.call(fixture, "GET", "tasks/\(id)")
            let states = (task.json["history"] as? [[String: Any]])?.map { $0["state"] as? String }
            #expect(states == ["intent", "submitted", "succeed"], "\(task.text)")
            let overview = try await Self.call(fixture, "GET", "overview")
            #expect(overview.status == 200)
            let ready = try #require(overview.json["ready"] as? [String: Any])
            #expect(ready["ready"] as? Bool == true && (ready["checks"] as? [String: String])?["store"] == "ok")
            for name in ["creates", "errors", "finished"] {
                let series = overview.json["series"] as? [String: [Int]]
                #expect(series?[name]?.count == 60)
            }
            #expect((overview.json["accounts"] as? [[String: Any]])?.first?["state"] as? String == "healthy")
        }
    }

    @Test func `what does not exist is answered with 404`() async throws {
        try await Fixture.run(environment: Self.guarded) { fixture in
            for path in ["tasks/nothing", "tasks/nothing/picture", "tenants/nobody", "keys/nothing"] {
                let answer = try await Self.call(fixture, "GET", path)
                #expect(answer.status == 404 && answer.json["code"] as? Int == 404, "\(path)")
            }
        }
    }
}
