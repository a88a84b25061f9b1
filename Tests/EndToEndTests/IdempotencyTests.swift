import Foundation
import KlingSimulator
import TestKit
import Testing

/// `Idempotency-Key`: a client that resends a request gets the same answer, and pays once.
@Suite(.aFewAtATime) struct IdempotencyTests {
    private static let key = "Idempotency-Key: order-1"
    private static let hour = 3_600_000...3_600_000

    /// Whether an answer is the stored one.
    private func isReplay(_ answer: RawClient.Answer) -> Bool { answer["Idempotent-Replayed"] == "true" }

    @Test func `a success is replayed on every form of the path, and its task is made once`() async throws {
        try await Rig.run(duration: Self.hour) { rig in
            let first = try await rig.create(headers: [Self.key])
            let id = try first.createdTask()
            #expect(!isReplay(first))
            for path in [Fixture.path, "/kling" + Fixture.path, Fixture.path + "/"] {
                let again = try await rig.gateway.ask("POST", path, headers: [Self.key], body: Fixture.body())
                #expect(again.status == 200 && isReplay(again))
                #expect(again.body == first.body)
            }
            #expect(rig.kling.tasks.map(\.id) == [id])
            #expect(try await rig.listed() == [id: "submitted"])
        }
    }

    @Test func `a replay counts against no limit`() async throws {
        let limited = "sk-key-with-limits-of-its-own"
        let settings = "keys: [{ key: \(limited), tenant: t, requests_per_minute: 2, concurrency: 1 }]"
        try await Rig.run(settings: settings, duration: Self.hour) { rig in
            #expect(try await rig.create(key: limited, headers: [Self.key]).status == 200)
            for _ in 0..<5 {
                let again = try await rig.create(key: limited, headers: [Self.key])
                #expect(again.status == 200 && isReplay(again), "\(again.text)")
            }
            let other = try await rig.create(key: limited)
            #expect(other.status == 429 && other.code == 1303, "the second of two requests, for a second task")
            let third = try await rig.create(key: limited)
            #expect(third.status == 429 && third.code == 1302, "the third request in a minute")
            let last = try await rig.create(key: limited, headers: [Self.key])
            #expect(last.status == 200 && isReplay(last))
        }
    }

    @Test(arguments: ["1201", "1300", "1301"])
    func `a permanent refusal is replayed without asking Kling`(fault: String) async throws {
        try await Rig.run { rig in
            try rig.fail("create:\(fault):1:1")
            let first = try await rig.create(headers: [Self.key])
            #expect(first.status == 400 && first.code == Int(fault), "\(first.text)")
            let again = try await rig.create(headers: [Self.key])
            #expect(isReplay(again) && !isReplay(first))
            #expect(again.status == 400 && again.body == first.body)
            #expect(rig.creates() == 1)
        }
    }

    @Test func `the answer to a queued create is replayed`() async throws {
        try await Rig.run(settings: "dispatch: { wait: 0s }") { rig in
            try rig.fail("create:1303")
            let first = try await rig.create(headers: [Self.key])
            let again = try await rig.create(headers: [Self.key])
            #expect(first.status == 200 && isReplay(again))
            #expect(again.body == first.body)
            #expect(try await rig.listed().count == 1)
        }
    }

    @Test func `another body with the same key is answered 422, and each tenant has its own keys`() async throws {
        try await Rig.run { rig in
            let id = try await rig.create(headers: [Self.key]).createdTask()
            let other = try await rig.create(#""note":1"#, headers: [Self.key])
            #expect(other.status == 422 && other.code == 1201, "\(other.text)")
            #expect(other.error["param"] as? String == "Idempotency-Key")
            #expect(other["x-should-retry"] == "false")
            let stranger = try await rig.create(key: GatewayProcess.otherKey, headers: [Self.key])
            #expect(!isReplay(stranger))
            #expect(try stranger.createdTask() != id)
            #expect(rig.kling.tasks.count == 2)
        }
    }

    /// Sends a create that Kling is slow to answer, and waits until Kling has made the task.
    private func begin(_ rig: Rig) async throws -> RawClient {
        let port = rig.gateway.port
        let client = try await blocking {
            let client = try RawClient(port: port)
            try client.send(Fixture.create(Array(Fixture.body().utf8), [Self.key]))
            return client
        }
        try await eventually("Kling has made the task") { rig.kling.tasks.count == 1 }
        return client
    }

    /// Resends the create as long as the first one is open.
    private func answer(_ rig: Rig) async throws -> RawClient.Answer {
        var answer: RawClient.Answer?
        try await eventually("the key is answered") {
            answer = try await rig.create(headers: [Self.key])
            return answer?.status != 409
        }
        return try #require(answer)
    }

    @Test func `a client that has left gets its answer when it resends`() async throws {
        try await Rig.run(duration: Self.hour) { rig in
            try rig.fail("create:slow=1:1:1")
            try await begin(rig).reset()
            let late = try await answer(rig)
            #expect(late.status == 200 && isReplay(late), "\(late.text)")
            #expect(try late.createdTask() == rig.kling.tasks.first?.id)
            #expect(rig.creates() == 1)
        }
    }

    @Test func `a resent key is answered 409 until the outcome is known, even across a crash`() async throws {
        try await Rig.run(duration: Self.hour) { rig in
            try rig.fail("create:slow=60:1:1")
            let client = try await begin(rig)
            let early = try await rig.create(headers: [Self.key])
            #expect(early.status == 409 && early.code == 1200, "\(early.text)")
            try rig.fail("query:http-500")
            try await rig.kill()
            let lost = try await blocking { try client.readAnswer()?.status }
            #expect(lost == nil)
            try await rig.start()
            #expect(try await rig.create(headers: [Self.key]).status == 409)
            rig.kling.removeFaults()
            let late = try await answer(rig)
            #expect(late.status == 200 && isReplay(late), "\(late.text)")
            #expect(try late.createdTask() == rig.idAfterCrash)
            #expect(rig.creates() == 1)
        }
    }

    @Test func `an answer and its task both survive a crash`() async throws {
        try await Rig.run(duration: Self.hour) { rig in
            let first = try await rig.create(headers: [Self.key])
            try await rig.kill()
            try await rig.start()
            let again = try await rig.create(headers: [Self.key])
            #expect(again.status == 200 && isReplay(again))
            #expect(again.body == first.body)
            #expect(rig.creates() == 1)
        }
    }

    @Test(arguments: ["", " ", "two words", "caf\u{E9}", "tab\tbed", String(repeating: "k", count: 256)])
    func `an invalid key is answered 400 and named`(value: String) async throws {
        try await Rig.run { rig in
            let answer = try await rig.create(headers: ["Idempotency-Key: \(value)"])
            #expect(answer.status == 400 && answer.code == 1201, "\(answer.text)")
            #expect(answer.error["param"] as? String == "Idempotency-Key")
            #expect(rig.creates() == 0)
        }
    }

    @Test func `two key fields in one request are answered 400, and a key of 255 characters is valid`() async throws {
        try await Rig.run { rig in
            let twice = try await rig.create(headers: [Self.key, Self.key])
            #expect(twice.status == 400 && twice.error["param"] as? String == "Idempotency-Key", "\(twice.text)")
            #expect(rig.creates() == 0)
            let long = "Idempotency-Key: " + String(repeating: "~", count: 255)
            #expect(try await rig.create(headers: [long]).status == 200)
            let again = try await rig.create(headers: [long])
            #expect(isReplay(again))
        }
    }

    /// Faults after which nothing is made, and the status of the answer: 429, 502 or 503.
    @Test(arguments: [("1302", 429), ("1303", 429), ("5001", 502), ("1101", 503)])
    func `a create that fails for the gateway's own reasons frees its key`(fault: String, status: Int) async throws {
        try await Rig.run(settings: "queue: off\ndispatch: { wait: 0s }") { rig in
            try rig.fail("create:\(fault):1:1")
            let first = try await rig.create(headers: [Self.key])
            #expect(first.status == status, "\(first.text)")
            // Another body is accepted, as the key no longer belongs to the first.
            let again = try await rig.create(#""note":1"#, headers: [Self.key])
            #expect(again.status != 422 && again.status != 409 && !isReplay(again), "\(again.text)")
        }
    }

    @Test func `a request that the gateway itself refuses frees its key`() async throws {
        try await Rig.run(settings: "limits: { body: 64KiB }") { rig in
            let gateway = rig.gateway
            let wrong = try await gateway.ask("POST", Fixture.path, headers: [Self.key], body: "{}")
            #expect(wrong.status == 400)
            let large = try await gateway.ask("POST", Fixture.path, headers: [Self.key, "Content-Length: 70000"])
            #expect(large.status == 413)
            #expect(try await rig.create(key: "sk-nobody", headers: [Self.key]).status == 401)
            let answer = try await rig.create(headers: [Self.key])
            #expect(answer.status == 200 && !isReplay(answer), "\(answer.text)")
        }
    }
}
