import Foundation
import KlingAPI
import KlingSimulator
import TestKit
import Testing

/// What can go wrong between the gateway, Kling and the client while a task is created, and what remains of the task.
@Suite(.aFewAtATime) struct LifeTests {
    private static let hour = 3_600_000...3_600_000

    /// Sends a create without reading the answer.
    private func send(_ gateway: GatewayProcess, _ more: String = "") async throws -> RawClient {
        let port = gateway.port
        return try await blocking {
            let client = try RawClient(port: port)
            try client.send(Fixture.create(Array(Fixture.body(more).utf8)))
            return client
        }
    }

    // MARK: Lost answers

    @Test(arguments: [
        "lost-answer", "made-5000", "made-5002", "made-http-500", "made-close", "made-reset-after-head",
        "made-reset-mid-body", "made-length-too-long", "made-garbage", "made-html", "made-not-json", "made-empty",
        "made-no-task-id",
    ])
    func `a task whose answer is lost is found while its client waits`(fault: String) async throws {
        try await Rig.run(duration: Self.hour) { rig in
            try rig.fail("create:\(fault):1:1")
            let answer = try await rig.create(#""external_task_id":"mine""#)
            #expect(try answer.createdTask() == rig.kling.tasks.first?.id)
            #expect((answer.data["task_info"] as? [String: Any])?["external_task_id"] as? String == "mine")
            #expect(rig.kling.tasks.count == 1 && rig.creates() == 1)
        }
    }

    @Test func `a task that was being created during a crash is found after it`() async throws {
        try await Rig.run(duration: Self.hour) { rig in
            try rig.fail("create:slow=30:1:1")
            let client = try await send(rig.gateway, #""external_task_id":"mine""#)
            try await eventually("Kling has made it") { rig.kling.tasks.count == 1 }
            try await rig.kill()
            _ = client
            try await rig.start()
            let id = rig.idAfterCrash
            try await eventually("it is listed") { try await rig.listed() == [id: "submitted"] }
            #expect(try await rig.query("mine").data["task_id"] as? String == id)
            #expect(rig.creates() == 1)
        }
    }

    @Test func `a task whose look-up failed before a crash is found once Kling answers again`() async throws {
        try await Rig.run(duration: Self.hour) { rig in
            try rig.fail("create:lost-answer:1:1")
            try rig.fail("query:http-500")
            let client = try await send(rig.gateway)
            try await eventually("it is looked up") { rig.kling.figures.contains { $0.queries > 0 } }
            try await rig.kill()
            _ = client
            try await rig.start()
            rig.kling.removeFaults()
            let id = try #require(rig.kling.tasks.first?.id)
            try await eventually("it is found") {
                try await rig.command("tasks", "list", "--json").contains(#""upstream_task_id":"\#(id)""#)
            }
            #expect(try await rig.listed().values.sorted() == ["submitted"])
            #expect(rig.creates() == 1)
        }
    }

    @Test func `a client that leaves after sending its request loses nothing`() async throws {
        try await Rig.run(duration: Self.hour) { rig in
            // Until an account has accepted a create, it gets one create at a time.
            _ = try await rig.createdTask()
            try rig.fail("create:slow=1")
            let (finisher, resetter) = (try await send(rig.gateway), try await send(rig.gateway))
            try await eventually("Kling has made the tasks") { rig.kling.tasks.count == 3 }
            finisher.finish()
            resetter.reset()
            let made = Dictionary(uniqueKeysWithValues: rig.kling.tasks.map { ($0.id, "submitted") })
            try await eventually("they are listed") { try await rig.listed() == made }
            #expect(rig.creates() == 3)
        }
    }

    @Test func `without look-ups, a lost answer is never followed by a second create`() async throws {
        try await Rig.run([Rig.Account(name: "reseller", settings: "lookup: no")], duration: Self.hour) { rig in
            try rig.fail("create:lost-answer:1:1")
            try rig.fail("query:1201")
            let answer = try await rig.create(#""external_task_id":"mine""#)
            #expect(answer.status == 502 && answer.code == 5000, "\(answer.text)")
            #expect(answer["x-should-retry"] == "false")
            let id = try #require(answer.error["task_id"] as? String)
            try await eventually("its operator is told") {
                let text = try await rig.command("tasks", "list", "--stuck", "--json")
                return text.contains(#""task_id":"\#(id)""#) && text.contains(#""unknown":true"#)
            }
            #expect(try await rig.status(id) == "submitted")
            #expect(try await rig.query("mine").data["task_id"] as? String == id)
            #expect(try await rig.listed() == [id: "submitted"])
            #expect(rig.creates() == 1)
        }
    }

    @Test(arguments: [true, false])
    func `the settle command decides a create whose outcome only the operator can know`(isMade: Bool) async throws {
        try await Rig.run([Rig.Account(name: "reseller", settings: "lookup: no")], duration: Self.hour) { rig in
            try rig.fail(isMade ? "create:lost-answer:1:1" : "create:close:1:1")
            let answer = try await rig.create(#""external_task_id":"mine""#)
            let id = try #require(answer.error["task_id"] as? String)
            if isMade {
                let upstreamID = try #require(rig.kling.tasks.first?.id)
                let shown = try await rig.command("tasks", "settle", id, "--as", upstreamID, "--json")
                #expect(shown.contains(#""upstream_task_id":"\#(upstreamID)""#))
                // From now on, Kling is asked about it by its own id.
                #expect(try await rig.query("mine").data["task_id"] as? String == id)
                #expect(rig.kling.figures.contains { $0.queries > 0 })
            } else {
                let shown = try await rig.command("tasks", "settle", id, "--not-made")
                #expect(shown.contains(#""state":"failed""#) && shown.contains("nothing was charged"))
                #expect(try await rig.status(id) == "failed")
                #expect(try await rig.create(#""external_task_id":"mine""#).status == 200)
            }
            #expect(rig.kling.tasks.count == 1)
        }
    }

    @Test func `an id that a client was given for an open create stays the task's id`() async throws {
        try await Rig.run(duration: Self.hour) { rig in
            try rig.fail("create:lost-answer:1:1")
            try rig.fail("query:http-500")
            let answer = try await rig.create()
            #expect(answer.status == 502, "\(answer.text)")
            let id = try #require(answer.error["task_id"] as? String)
            #expect(try await rig.query(id)["x-kling-gateway-stale"] != nil)
            rig.kling.removeFaults()
            let upstreamID = try #require(rig.kling.tasks.first?.id)
            #expect(upstreamID != id)
            try await eventually("it is found") {
                try await rig.command("tasks", "show", id).contains(#""upstream_task_id":"\#(upstreamID)""#)
            }
            #expect(try await rig.status(id) == "submitted")
            #expect(try await rig.listed() == [id: "submitted"])
            #expect(rig.creates() == 1)
        }
    }

    // MARK: Queries

    @Test func `ten clients that poll a task cost Kling one query a second`() async throws {
        try await Rig.run(duration: Self.hour) { rig in
            let id = try await rig.createdTask()
            let (gateway, start) = (rig.gateway, ContinuousClock.now)
            let statuses = try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        var statuses: [Int] = []
                        // Each client polls ten times a second.
                        for poll in 1...30 {
                            statuses.append(try await gateway.ask("GET", Fixture.path + "/" + id).status)
                            try await Task.sleep(until: start + .milliseconds(100 * poll))
                        }
                        return statuses
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let seconds = Int((ContinuousClock.now - start).components.seconds) + 1
            #expect(statuses.count == 300 && statuses.allSatisfy { $0 == 200 })
            let queries = rig.kling.figures.reduce(0) { $0 + $1.queries }
            #expect((2...seconds + 1).contains(queries), "\(queries) in \(seconds) s")
        }
    }

    @Test(arguments: ["http-500", "5001", "1302", "not-json", "close"])
    func `a task keeps its last known state while Kling cannot be queried`(fault: String) async throws {
        try await Rig.run(settings: "query: { freshness: 50ms }", duration: Self.hour) { rig in
            let id = try await rig.createdTask()
            try rig.fail("query:\(fault)")
            try rig.fail("list:\(fault)")
            var answer = try await rig.query(id)
            #expect(answer.status == 200 && answer.data["task_status"] as? String == "submitted", "\(answer.text)")
            #expect(answer["x-kling-gateway-stale"] != nil)
            #expect(try await rig.listed() == [id: "submitted"])
            rig.kling.removeFaults()
            try await eventually("Kling is asked again") {
                answer = try await rig.query(id)
                return answer["x-kling-gateway-stale"] == nil
            }
            #expect(answer.status == 200)
        }
    }

    // MARK: The store

    @Test func `while the store is held, creates are refused, finished tasks answered, and it recovers`() async throws {
        try await Rig.run(settings: "dispatch: { wait: 0s }", duration: 1...1) { rig in
            let id = try await rig.createdTask()
            try await eventually("it has succeeded") { try await rig.status(id) == "succeed" }
            let holder = try await HeldStore(rig.folder)
            try await holder.hold()
            let key = "Idempotency-Key: held"
            let refused = try await rig.create(#""external_task_id":"held""#, headers: [key])
            #expect(refused.status == 503 && refused.code == 5001, "\(refused.text)")
            #expect((1...60).contains(refused["Retry-After"].flatMap { Int($0) } ?? 0))
            #expect(rig.creates() == 1)
            #expect(try await rig.status(id) == "succeed")
            #expect(try await rig.listed() == [id: "succeed"])
            try await holder.release()
            // The refused create has left neither its id nor its key behind.
            let again = try await rig.create(#""external_task_id":"held""#, headers: [key])
            #expect(again["Idempotent-Replayed"] == nil)
            let second = try again.createdTask()
            try await eventually("it has succeeded") { try await rig.status(second) == "succeed" }
            #expect(rig.creates() == 2)
        }
    }

    @Test func `a task that Kling accepts while the store is held is found afterwards`() async throws {
        try await Rig.run(duration: Self.hour) { rig in
            let holder = try await HeldStore(rig.folder)
            try rig.fail("create:slow=6:1:1")
            let client = try await send(rig.gateway)
            try await eventually("Kling has made it") { rig.kling.tasks.count == 1 }
            try await holder.hold()
            try await eventually("it could not be recorded") {
                rig.gateway.program.errorText.contains("an accepted task could not be recorded")
            }
            try await holder.release()
            let id = try #require(rig.kling.tasks.first?.id)
            let answer = try await blocking { try client.readAnswer() }
            if answer?.status == 200 { #expect(try answer?.createdTask() == id) }
            try await eventually("it is listed") { try await rig.listed().values.sorted() == ["submitted"] }
            #expect(rig.kling.tasks.count == 1)
        }
    }
}
