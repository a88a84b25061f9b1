import Foundation
import KlingAPI
import KlingSimulator
import TestKit
import Testing

/// Several accounts, and a queue for the creates that none of them takes now.
@Suite(.aFewAtATime) struct DispatchTests {
    private static let hour = 3_600_000...3_600_000
    /// Two accounts whose limits the gateway has to learn, and one whose resource pack is used up.
    private static let accounts = [
        Rig.Account(name: "two", slots: 2), Rig.Account(name: "three", slots: 3), Rig.Account(name: "spent"),
    ]
    /// An account that is asked first whenever it is available, and another one.
    private static func preferred(_ url: String? = nil) -> [Rig.Account] {
        [
            Rig.Account(name: "first", settings: "lookup: yes, weight: 1000", url: url),
            Rig.Account(name: "second"),
        ]
    }

    // MARK: More than Kling takes at once

    @Test func `sixty concurrent creates each end once, despite a kill in the middle`() async throws {
        let settings = "query: { freshness: 100ms }"
        try await Rig.run(Self.accounts, settings: settings, duration: 50...200) { rig in
            try rig.fail("create:1102", on: "spent")
            let ids = try await rig.gateway.creates(60).map { try $0.createdTask() }
            #expect(Set(ids).count == 60)
            try await eventually("Kling has a third of them") {
                _ = try await rig.listed()
                return rig.kling.tasks.count >= 20
            }
            try await rig.kill()
            #expect(rig.kling.tasks.count < 60)
            try await rig.start()
            var seen: [String: String] = [:]
            try await eventually("all of them have succeeded") {
                seen = try await rig.listed()
                return seen.values.count { $0 == "succeed" } == 60
            }
            #expect(Set(seen.keys) == Set(ids))
            #expect(rig.kling.tasks.count == 60)
            #expect(Set(rig.kling.tasks.compactMap(\.externalTaskID)).count == 60)
            #expect(Set(rig.kling.tasks.map(\.account)) == ["two", "three"])
            #expect(rig.creates(on: "spent") <= 4)
        }
    }

    @Test func `a queue drains into all accounts even if no client queries its tasks`()
        async throws
    {
        try await Rig.run(Array(Self.accounts.prefix(2)), duration: 50...200) { rig in
            _ = try await rig.gateway.creates(15)
            for (name, slots) in [("two", 2), ("three", 3)] {
                try await eventually("\(name) has more than at first") {
                    rig.kling.tasks.count { $0.account == name } > slots
                }
            }
        }
    }

    @Test func `creates that a kill left unanswered are made once when clients resend them`()
        async throws
    {
        // The limits are known, and Kling is slow at the end, so everything sent before the kill has been made.
        var accounts = Self.accounts
        accounts[0].settings += ", concurrency: 2"
        accounts[1].settings += ", concurrency: 3"
        let freshness = "query: { freshness: 100ms }"
        try await Rig.run(
            accounts, settings: freshness + "\ndispatch: { wait: 60s }", duration: 50...200
        ) { rig in
            try rig.fail("create:1102", on: "spent")
            try rig.fail("create:slow=0.001:1:20")
            try rig.fail("create:slow=60")
            let keys = (0..<60).map { "Idempotency-Key: order-\($0)" }
            let port = rig.gateway.port
            let clients = try await blocking {
                try keys.map { key in
                    let client = try RawClient(port: port)
                    try client.send(Fixture.create(Array(Fixture.body().utf8), [key]))
                    return client
                }
            }
            try await eventually("20 are answered, and Kling has made 25") {
                try await rig.listed().count == 20 && rig.kling.tasks.count == 25
            }
            try await rig.kill()
            let first = try await blocking { clients.map { try? $0.readAnswer() } }
            #expect(first.count { $0 != nil } == 20)
            rig.kling.removeFaults()
            try rig.fail("create:1102", on: "spent")
            try await rig.start(settings: freshness)
            let unanswered = zip(keys, first).filter { $1 == nil }.map(\.0)
            let later = try await rig.gateway.repeated(unanswered)
            #expect(later.count { $0["Idempotent-Replayed"] == "true" } >= 5)
            let ids = Set(try (first.compactMap(\.self) + later).map { try $0.createdTask() })
            #expect(ids.count == 60)
            let ended = Dictionary(uniqueKeysWithValues: ids.map { ($0, "succeed") })
            try await eventually("all of them have succeeded") { try await rig.listed() == ended }
            #expect(rig.kling.tasks.count == 60)
            #expect(Set(rig.kling.tasks.compactMap(\.externalTaskID)).count == 60)
            #expect(Set(rig.kling.tasks.map(\.account)) == ["two", "three"])
            #expect(rig.creates(on: "spent") <= 4)
        }
    }

    /// Fills all five slots.
    private func fill(_ rig: Rig) async throws {
        for _ in 0..<5 { _ = try await rig.createdTask() }
        #expect(rig.kling.tasks.count == 5)
    }

    @Test func `without a queue, creates that find no slot are told to retry later`() async throws {
        let settings = "queue: off\ndispatch: { wait: 200ms }"
        try await Rig.run(Self.accounts, settings: settings, duration: Self.hour) { rig in
            try rig.fail("create:1102", on: "spent")
            try await fill(rig)
            let answers = try await rig.gateway.creates(10)
            #expect(answers.count { $0.isSaturation } == 10, "\(answers.map(\.text))")
            #expect(rig.kling.tasks.count == 5)
            #expect(try await rig.listed().count == 5)
        }
    }

    @Test func `a create that a crash lost before Kling took it frees its slot`() async throws {
        let account = Rig.Account(name: "kling", slots: 1, settings: "lookup: yes, concurrency: 1")
        let settings = "queue: off\ndispatch: { wait: 200ms }"
        try await Rig.run([account], settings: settings, duration: Self.hour) { rig in
            try rig.fail("create:close")
            let client = try RawClient(port: rig.gateway.port)
            try client.send(Fixture.create(Array(Fixture.body().utf8)))
            try await eventually("Kling got it") { rig.creates() > 0 }
            try await rig.kill()
            rig.kling.removeFaults()
            try await rig.start()
            try await eventually("the slot is free") { try await rig.create().status == 200 }
            #expect(rig.kling.tasks.count == 1)
            #expect(try await rig.create().isSaturation)
        }
    }

    @Test func `creates that a full queue has no room for are told to retry later`() async throws {
        let settings = "queue: { tasks: 5 }\ndispatch: { wait: 200ms }"
        try await Rig.run(Self.accounts, settings: settings, duration: Self.hour) { rig in
            try rig.fail("create:1102", on: "spent")
            try await fill(rig)
            let answers = try await rig.gateway.creates(15)
            #expect(answers.count { $0.status == 200 } == 5, "\(answers.map(\.text))")
            #expect(answers.count { $0.isSaturation } == 10)
            #expect(rig.kling.tasks.count == 5)
            #expect(Set(try await rig.listed().values).isSubset(of: ["submitted", "processing"]))
            #expect(try await rig.listed().count == 10)
        }
    }

    // MARK: Queued tasks

    private static let impatient = "dispatch: { wait: 0s }\nquery: { freshness: 100ms }"

    @Test func `a queued task that waits too long fails and costs nothing`() async throws {
        let settings = Self.impatient + "\nqueue: { max_age: 1s }"
        try await Rig.run(settings: settings) { rig in
            try rig.fail("create:1303")
            let id = try await rig.createdTask(#""external_task_id":"late""#)
            try await eventually("it has failed") { try await rig.status(id) == "failed" }
            let answer = try await rig.query("late")
            #expect(answer.data["task_id"] as? String == id)
            #expect(answer.data["task_status_msg"] as? String == "not sent within 1s; nothing was charged")
            #expect(rig.kling.tasks.isEmpty)
        }
    }

    @Test func `the queue survives a crash, and its tasks keep their ids`() async throws {
        try await Rig.run(settings: Self.impatient) { rig in
            try rig.fail("create:1303")
            var ids: Set<String> = []
            for number in 0..<3 { ids.insert(try await rig.createdTask(#""external_task_id":"n\#(number)""#)) }
            #expect(try await rig.listed() == Dictionary(uniqueKeysWithValues: ids.map { ($0, "submitted") }))
            try await rig.kill()
            try await rig.start()
            #expect(try await rig.listed() == Dictionary(uniqueKeysWithValues: ids.map { ($0, "submitted") }))
            #expect(rig.kling.tasks.isEmpty)
            rig.kling.removeFaults()
            let ended = Dictionary(uniqueKeysWithValues: ids.map { ($0, "succeed") })
            try await eventually("they have succeeded") { try await rig.listed() == ended }
            for number in 0..<3 {
                let task = try await rig.query("n\(number)").data
                #expect(ids.remove(task["task_id"] as? String ?? "") != nil)
                #expect((task["task_info"] as? [String: Any])?["external_task_id"] as? String == "n\(number)")
            }
            #expect(rig.kling.tasks.count == 3)
        }
    }

    @Test func `a queued task that Kling refuses permanently fails with Kling's message`() async throws {
        try await Rig.run(settings: Self.impatient) { rig in
            try rig.fail("create:1303:1:1")
            try rig.fail("create:1301:1:1")
            let id = try await rig.createdTask()
            try await eventually("it has failed") { try await rig.status(id) == "failed" }
            let words = try await rig.query(id).data["task_status_msg"] as? String
            #expect(words == KlingCode.contentPolicy.meaning)
            #expect(rig.kling.tasks.isEmpty)
        }
    }

    // MARK: From one account to another

    @Test(arguments: ["1101", "1000", "1302", "5001", "http-302", "http-429"])
    func `a create that one account declines goes to another`(fault: String) async throws {
        try await Rig.run(Self.preferred()) { rig in
            try rig.fail("create:\(fault)", on: "first")
            let id = try await rig.createdTask()
            #expect(rig.kling.tasks.map(\.account) == ["second"])
            #expect(rig.kling.tasks.map(\.id) == [id])
            #expect(rig.creates(on: "first") == 1)
            #expect(try await rig.status(id) == "succeed")
        }
    }

    @Test func `a create that cannot reach one account goes to another`() async throws {
        try await Rig.run(Self.preferred("http://127.0.0.1:1")) { rig in
            let id = try await rig.createdTask()
            #expect(rig.kling.tasks.map(\.id) == [id])
        }
    }

    @Test func `a create with an unknown outcome never goes to another account`() async throws {
        try await Rig.run(Self.preferred()) { rig in
            try rig.fail("create:reset", on: "first")
            let answer = try await rig.create()
            #expect(answer.status == 502 && answer.code == 5000, "\(answer.text)")
            #expect(answer["x-should-retry"] == "false")
            #expect(answer.error["task_id"] is String)
            // Kling did not know the create, so it was sent again, to the same account.
            #expect(rig.creates(on: "first") > 1)
            #expect(rig.creates(on: "second") == 0)
            #expect(rig.kling.tasks.isEmpty)
        }
    }

    @Test func `tasks of a removed account are answered with their last known state`() async throws {
        try await Rig.run(Self.preferred(), settings: "query: { freshness: 100ms }", duration: Self.hour) { rig in
            let id = try await rig.createdTask()
            #expect(rig.kling.tasks.map(\.account) == ["first"])
            try await rig.stop()
            try await rig.start([Rig.Account(name: "second")])
            let answer = try await rig.query(id)
            #expect(answer.status == 200)
            #expect(answer.data["task_status"] as? String == "submitted")
            #expect(answer["x-kling-gateway-stale"] != nil)
            #expect(try await rig.query(id)["x-kling-gateway-stale"] != nil)
            #expect(try await rig.listed() == [id: "submitted"])
            #expect(try await rig.create().status == 200)
            #expect(rig.kling.tasks.map(\.account) == ["first", "second"])
            // Once the account is configured again, its tasks are followed again.
            try await rig.stop()
            try await rig.start(Self.preferred())
            #expect(try await rig.query(id)["x-kling-gateway-stale"] == nil)
        }
    }
}
