import Foundation
import KlingSimulator
import TestKit
import Testing

/// The main use case, through the built binary.
@Suite(.aFewAtATime) struct TryOnTests {
    @Test func `a task is created, queried and listed on both prefixes under the client's ids`() async throws {
        try await Fixture.run { fixture in
            let made = try await fixture.create(#""external_task_id":"order-1","callback_url":"","model":"""#)
            #expect(made.status == 200)
            #expect(made.code == 0)
            let id = try #require(made.data["task_id"] as? String)
            #expect((made.data["task_info"] as? [String: Any])?["external_task_id"] as? String == "order-1")
            #expect(fixture.kling.tasks.map(\.id) == [id])

            for path in [Fixture.path + "/" + id, "/kling" + Fixture.path + "//order-1/"] {
                let found = try await fixture.gateway.ask("GET", path)
                #expect(found.status == 200)
                #expect(found.data["task_id"] as? String == id)
                #expect(found.data["task_status"] as? String == "succeed")
            }
            let listed = try await fixture.gateway.ask("GET", "/kling" + Fixture.path + "?pageNum=1&pageSize=10")
            #expect(listed.tasks.map { $0["task_id"] as? String } == [id])
            let gatewaysOwn = try #require(fixture.kling.tasks.first?.externalTaskID)
            for answer in [made, listed] { #expect(!answer.text.contains(gatewaysOwn)) }
        }
    }

    @Test func `a finished task is never queried at Kling again`() async throws {
        try await Fixture.run(file: Fixture.knownAccount, environment: Fixture.noAccount, duration: 1...1) { fixture in
            let id = try await fixture.createdTask()
            for _ in 0..<5 {
                let found = try await fixture.gateway.ask("GET", Fixture.path + "/" + id)
                #expect(found.data["task_status"] as? String == "succeed")
            }
            #expect(fixture.kling.figures.map(\.queries) == [1])
            await fixture.kling.stop()
            #expect(try await fixture.gateway.ask("GET", Fixture.path + "/" + id).status == 200)
        }
    }

    @Test func `simultaneous queries of a running task share one upstream call`() async throws {
        let file = Fixture.knownAccount + "query: { freshness: 60s }"
        try await Fixture.run(file: file, environment: Fixture.noAccount, duration: 3_600_000...3_600_000) { fixture in
            let id = try await fixture.createdTask()
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<20 {
                    group.addTask { try await fixture.gateway.ask("GET", Fixture.path + "/" + id).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == Array(repeating: 200, count: 20))
            #expect(fixture.kling.figures.map(\.queries) == [1])
        }
    }

    @Test func `another tenant's task gets the same 404 as an unknown one`() async throws {
        try await Fixture.run { fixture in
            let id = try await fixture.createdTask(#""external_task_id":"mine""#)
            let never = try await fixture.gateway.ask("GET", Fixture.path + "/815", key: GatewayProcess.otherKey)
            for path in [id, "mine"] {
                let other = try await fixture.gateway.ask(
                    "GET", Fixture.path + "/" + path, key: GatewayProcess.otherKey)
                #expect(other.status == 404)
                #expect(other.code == 1203)
                #expect(other.json["message"] as? String == never.json["message"] as? String)
            }
            let list = try await fixture.gateway.ask("GET", Fixture.path, key: GatewayProcess.otherKey)
            #expect(list.tasks.isEmpty)
        }
    }

    @Test func `unknown members are accepted, and no client header field reaches Kling`() async throws {
        try await Fixture.run { fixture in
            let answer = try await fixture.gateway.ask(
                "POST", Fixture.path,
                headers: ["Cookie: a=b", "X-Forwarded-For: 1.2.3.4", "X-Custom: yes"],
                body: Fixture.body(#""future_member":{"a":[1,2.50,"\u00e9"]}"#))
            #expect(answer.status == 200)
            let seen = try await fixture.seenByKling()
            let names = Set(seen.map { $0.name.lowercased() })
            #expect(names.isDisjoint(with: ["cookie", "x-forwarded-for", "x-custom"]))
            #expect(names.isSuperset(of: ["authorization", "content-type", "user-agent"]))
            #expect(!seen.contains { $0.value.contains(GatewayProcess.key) })
        }
    }

    @Test func `a lost answer is looked up rather than paid twice`() async throws {
        try await Fixture.run { fixture in
            try fixture.fail("create:lost-answer:1:1")
            let answer = try await fixture.create(#""external_task_id":"lost""#)
            #expect(answer.status == 200)
            #expect(fixture.kling.tasks.count == 1)
            #expect(answer.data["task_id"] as? String == fixture.kling.tasks.first?.id)
            #expect(fixture.kling.figures.map(\.creates) == [1])
        }
    }

    @Test func `tasks and keys survive a kill`() async throws {
        let folder = try TemporaryFolder()
        try await Fixture.run { fixture in
            let first = try await GatewayProcess(kling: fixture.kling.url, folder: folder)
            let made = try await first.ask("POST", Fixture.path, body: Fixture.body())
            first.program.signal(SIGKILL)
            _ = try await first.program.end()
            let second = try await GatewayProcess(kling: fixture.kling.url, folder: folder)
            let id = try #require(made.data["task_id"] as? String)
            let found = try await second.ask("GET", Fixture.path + "/" + id)
            #expect(found.data["task_status"] as? String == "succeed")
            #expect(try await second.stop() == 0)
        }
    }

    @Test func `a large create with two pictures is accepted and frees its memory`() async throws {
        try await Fixture.run { fixture in
            let picture = Data(SamplePictures.person).base64EncodedString()
            let padding = String(repeating: "x", count: 3 << 20)
            let body = #"{"human_image":"\#(picture)","cloth_image":"\#(picture)","note":"\#(padding)"}"#
            let answer = try await fixture.gateway.ask("POST", Fixture.path, body: body)
            #expect(answer.status == 200)
            let metrics = try await fixture.gateway.ask("GET", "/metrics", key: nil, admin: true)
            #expect(metrics.text.contains("\nkling_gateway_body_bytes 0\n"), "\(metrics.text.prefix(4000))")
        }
    }
}

/// Queries that come while a create is still open.
@Suite(.aFewAtATime) struct OpenCreateTests {
    @Test func `a task keeps the id that an early query was given`() async throws {
        try await Fixture.run(duration: 1...1) { fixture in
            try fixture.fail("create:slow=1:1:1")
            async let made = fixture.create(#""external_task_id":"early""#)
            let early = try await fixture.whenFound("early")
            let id = try #require(early.data["task_id"] as? String)
            #expect(try await made.data["task_id"] as? String == id)
            try await eventually("it has ended") {
                let found = try await fixture.gateway.ask("GET", Fixture.path + "/" + id)
                return found.data["task_status"] as? String == "succeed"
            }
        }
    }

    @Test func `a refused create leaves nothing that a query could find`() async throws {
        try await Fixture.run(duration: 1...1) { fixture in
            try fixture.fail("create:1301:1:1")
            let gateway = fixture.gateway
            let refused = try await fixture.create(#""external_task_id":"refused""#)
            #expect(refused.code == 1301)
            #expect(try await gateway.ask("GET", Fixture.path + "/refused").status == 404)
            #expect(try await fixture.create(#""external_task_id":"refused""#).status == 200)
            let found = try await gateway.ask("GET", Fixture.path + "/refused")
            #expect(found.data["task_status"] as? String == "succeed")
        }
    }
}

extension Fixture {
    /// Queries a task until it is found.
    func whenFound(_ id: String) async throws -> RawClient.Answer {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            let answer = try await gateway.ask("GET", Self.path + "/" + id)
            if answer.status == 200 { return answer }
        }
        throw TestKitError("\(id) was not found")
    }
}
