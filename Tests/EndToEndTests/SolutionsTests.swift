import Foundation
import KlingSimulator
import TestKit
import Testing

/// Kling's newer API in both directions: clients of either shape, on accounts that speak either API.
@Suite(.aFewAtATime) struct SolutionsTests {
    private static let path = "/solutions/virtual_try_on"

    private static func account(_ api: SimulatedAPI, _ settings: String = "lookup: yes, unique: yes") -> Rig.Account {
        Rig.Account(name: "kling", settings: settings, api: api)
    }

    private static func body(_ more: String = "") -> String {
        #"{"contents":[{"type":"person_image","url":"https://shop.example/p.png"},"#
            + #"{"type":"product_image","url":"https://shop.example/c.png"}]\#(more)}"#
    }

    private static func create(_ rig: Rig, _ more: String = "", headers: [String] = []) async throws -> RawClient.Answer
    {
        try await rig.gateway.ask("POST", path, headers: headers, body: body(more))
    }

    private static func queried(_ rig: Rig, _ query: String) async throws -> [[String: Any]] {
        try await rig.gateway.ask("GET", "/solutions?" + query).tasks
    }

    // MARK: Older clients

    @Test func `a client of the older shape works on an account of the newer API`() async throws {
        try await Rig.run([Self.account(.solutions, "api: solutions")]) { rig in
            let more = #""external_task_id":"order-1","keep_pose":false,"watermark":true"#
            let id = try await rig.createdTask(more)
            try await eventually("the task has ended") { try await rig.status(id) == "succeed" }
            let task = try #require(rig.kling.tasks.first)
            #expect(task.dialect == .solutions && task.hasWatermark && rig.kling.tasks.count == 1)
            let answer = try await rig.query("order-1").data
            let result = answer["task_result"] as? [String: Any]
            let image = (result?["images"] as? [[String: Any]])?.first
            #expect(image?["index"] as? Int == 0 && (image?["url"] as? String)?.hasPrefix("http") == true)
            #expect((answer["task_info"] as? [String: Any])?["external_task_id"] as? String == "order-1")
            #expect(answer["final_unit_deduction"] as? String == "1" && answer["created_at"] is Int)
            #expect(try await rig.listed() == [id: "succeed"])
        }
    }

    @Test(arguments: [SimulatedAPI.kolors, .solutions])
    func `a create finds out which API an account speaks, and notices when that changes`(
        _ first: SimulatedAPI
    ) async throws {
        let second: SimulatedAPI = first == .kolors ? .solutions : .kolors
        try await Rig.run([Self.account(first)]) { rig in
            let one = try await rig.createdTask()
            rig.kling.set(second)
            let two = try await rig.createdTask()
            #expect(rig.kling.tasks.map(\.dialect.rawValue) == [first.rawValue, second.rawValue])
            try await eventually("the second has ended") { try await rig.status(two) == "succeed" }
            rig.kling.set(.both)
            try await eventually("the first has ended") { try await rig.status(one) == "succeed" }
            #expect(try await rig.listed() == [one: "succeed", two: "succeed"])
            try await eventually("what was learned is kept") {
                try await rig.command("accounts", "--json").contains(#""api":"\#(second.rawValue)""#)
            }
        }
    }

    @Test(arguments: [SimulatedAPI.kolors, .solutions])
    func `an account full of tasks of a removed API is found to speak the other one`(
        _ first: SimulatedAPI
    ) async throws {
        let second: SimulatedAPI = first == .kolors ? .solutions : .kolors
        let hour = 3_600_000...3_600_000
        let account = Self.account(first, "lookup: yes, unique: yes, concurrency: 1")
        try await Rig.run([account], settings: "queue: off", duration: hour) { rig in
            _ = try await rig.createdTask()
            rig.kling.set(second)
            try await eventually("the account has room") { try await rig.create().status == 200 }
            #expect(rig.kling.tasks.map(\.dialect.rawValue) == [first.rawValue, second.rawValue])
        }
    }

    @Test(arguments: ["create:lost-answer:1:1", "create:slow=1:1:1"])
    func `a lost answer or a killed gateway leaves one task on an account of the newer API`(
        _ fault: String
    ) async throws {
        try await Rig.run([Self.account(.solutions, "api: solutions, lookup: yes, unique: yes")]) { rig in
            try rig.fail(fault)
            let gateway = rig.gateway
            async let answer = try? gateway.create(#""external_task_id":"order-1""#)
            if fault.contains("slow") {
                try await eventually("Kling has been asked") { rig.creates() == 1 }
                try await rig.kill()
                try await rig.start()
            } else {
                _ = await answer
            }
            try await eventually("the task has ended") { try await rig.status("order-1") == "succeed" }
            _ = await answer
            #expect(rig.kling.tasks.count == 1)
        }
    }

    @Test func `a create goes to another account if one has the route of neither API`()
        async throws
    {
        let first = Rig.Account(name: "first", settings: "weight: 100", api: .kolors)
        try await Rig.run([first, Rig.Account(name: "second")]) { rig in
            try rig.fail("create:http-404:1:1", on: "first")
            let id = try await rig.createdTask()
            #expect(rig.kling.tasks.map(\.account) == ["second"])
            try await eventually("the task has ended") { try await rig.status(id) == "succeed" }
        }
    }

    @Test func `a create that needs the newer API makes the gateway look for it, or is refused, naming the setting`()
        async throws
    {
        try await Rig.run([Self.account(.solutions)]) { rig in
            let answer = try await Self.create(rig, #","settings":{"keep_face":false}"#)
            #expect(answer.status == 200, "\(answer.text)")
            rig.kling.set(.kolors)
            let other = try await Self.create(rig, #","settings":{"keep_face":false}"#)
            #expect(other.status == 400 && other.error["param"] as? String == "settings.keep_face", "\(other.text)")
            #expect(rig.kling.tasks.count == 1)
        }
    }

    @Test(arguments: [false, true])
    func `a picture that an account cannot accept is refused, naming the field, even while the account is full`(
        isFull: Bool
    ) async throws {
        let picture = Data(SamplePictures.person).base64EncodedString()
        var account = Self.account(.solutions, "lookup: yes, unique: yes, concurrency: 1")
        if isFull { account.settings += ", api: solutions" }
        try await Rig.run([account], duration: 60_000...60_000) { rig in
            if isFull { _ = try await rig.createdTask() }
            let body = #"{"human_image":"\#(picture)","cloth_image":"https://shop.example/c.png"}"#
            let answer = try await rig.gateway.ask("POST", Fixture.path, body: body)
            #expect(answer.status == 400 && answer.error["param"] as? String == "human_image", "\(answer.text)")
            #expect(rig.kling.tasks.count == (isFull ? 1 : 0))
        }
    }

    @Test func `a list is limited by the creation times that it shows`() async throws {
        let account = Self.account(.solutions, "api: solutions, concurrency: 1")
        try await Rig.run([account], duration: 1500...1500) { rig in
            let ids = [try await rig.createdTask(), try await rig.createdTask()]
            try await eventually("both are made") { rig.kling.tasks.count == 2 }
            try await eventually("both have ended") {
                try await Self.queried(rig, "task_ids=" + ids.joined(separator: ",")).allSatisfy {
                    $0["status"] as? String == "succeed"
                }
            }
            for task in try await Self.queried(rig, "task_ids=" + ids.joined(separator: ",")) {
                let time = try #require(task["create_time"] as? Int)
                func listed(_ start: Int, _ end: Int) async throws -> [String] {
                    let body = #"{"start_time":\#(start),"end_time":\#(end)}"#
                    let data = try await rig.gateway.ask("POST", "/solutions", body: body).data
                    return (data["result"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
                }
                let id = try #require(task["id"] as? String)
                #expect(try await listed(time, time + 1) == [id])
                #expect(try await listed(time - 1, time).isEmpty)
            }
        }
    }

    // MARK: Pictures

    @Test func `a picture sent as bytes is served to Kling until its task has ended`() async throws {
        let picture = Data(SamplePictures.person).base64EncodedString()
        try await Rig.run(
            [Self.account(.solutions, "api: solutions")], settings: "pictures: { linger: 1s }", isPublic: true,
            fetchesPictures: true
        ) { rig in
            let body = #"{"human_image":"\#(picture)","cloth_image":"\#(picture)"}"#
            let id = try await rig.gateway.ask("POST", Fixture.path, body: body).createdTask()
            let url = try #require(rig.kling.tasks.first?.personURL.flatMap(URL.init))
            #expect(url.path.hasPrefix("/pictures/") && url.lastPathComponent.count > 26)
            try await eventually("the task has ended") { try await rig.status(id) == "succeed" }
            try await eventually("the picture is gone") {
                try await rig.gateway.ask("HEAD", url.path, key: nil).status == 404
            }
            #expect(!rig.gateway.program.errorText.contains(url.lastPathComponent))
        }
    }

    @Test func `without a public URL, a picture sent as bytes is refused, saying how to fix it`() async throws {
        let picture = Data(SamplePictures.person).base64EncodedString()
        try await Rig.run([Self.account(.solutions, "api: solutions")]) { rig in
            let body = #"{"human_image":"\#(picture)","cloth_image":"https://shop.example/c.png"}"#
            let answer = try await rig.gateway.ask("POST", Fixture.path, body: body)
            #expect(answer.status == 400 && answer.error["param"] as? String == "human_image", "\(answer.text)")
            #expect(answer.text.contains("http(s) URL") && rig.kling.tasks.isEmpty)
        }
    }

    // MARK: Newer clients

    @Test(arguments: [SimulatedAPI.kolors, .solutions])
    func `a client of the newer shape works on any account and finds tasks of the older shape`(
        _ api: SimulatedAPI
    ) async throws {
        try await Rig.run([Self.account(api, "api: \(api.rawValue)")], duration: 300...300) { rig in
            let key = ["Idempotency-Key: one"]
            let made = try await Self.create(rig, #","options":{"external_task_id":"order-1"}"#, headers: key)
            let id = try #require(made.data["task_id"] as? String)
            #expect(made.status == 200 && made.data["status"] as? String == "submitted", "\(made.text)")
            #expect(made.data["external_id"] as? String == "order-1" && made.data["task_status"] == nil)
            let again = try await Self.create(rig, #","options":{"external_task_id":"order-1"}"#, headers: key)
            #expect(again.data["task_id"] as? String == id && again["Idempotent-Replayed"] == "true")
            #expect(again.data["status"] as? String == "submitted")
            let old = try await rig.createdTask()
            try await eventually("both have ended") {
                try await Self.queried(rig, "task_ids=\(id),\(old),nobodys").allSatisfy {
                    $0["status"] as? String == "succeed"
                }
            }
            let found = try await Self.queried(rig, "task_ids=\(id),\(old),nobodys")
            #expect(found.map { $0["id"] as? String } == [id, old])
            #expect((found[0]["outputs"] as? [[String: Any]])?.first?["type"] as? String == "image")
            #expect((found[0]["billing"] as? [[String: Any]])?.first?["charge_type"] as? String == "unit")
            #expect(try await Self.queried(rig, "external_task_ids=order-1").first?["id"] as? String == id)
            #expect(try await rig.status(id) == "succeed")
        }
    }

    @Test func `a cursor stays valid while tasks are added, and lists are filtered by status`() async throws {
        try await Rig.run([Self.account(.solutions, "api: solutions")]) { rig in
            var ids: [String] = []
            for _ in 0..<5 { ids.append(try await rig.createdTask()) }
            func page(_ body: String) async throws -> (ids: [String], cursor: String, more: Bool) {
                let data = try await rig.gateway.ask("POST", "/solutions", body: body).data
                let result = data["result"] as? [[String: Any]] ?? []
                return (
                    result.compactMap { $0["id"] as? String }, data["next_cursor"] as? String ?? "-",
                    data["has_more"] as? Bool ?? false
                )
            }
            let first = try await page(#"{"limit":2}"#)
            #expect(first.ids == [ids[4], ids[3]] && first.more)
            _ = try await rig.createdTask()
            let second = try await page(#"{"limit":2,"cursor":"\#(first.cursor)"}"#)
            #expect(second.ids == [ids[2], ids[1]] && second.more)
            let third = try await page(#"{"limit":2,"cursor":"\#(second.cursor)"}"#)
            #expect(third.ids == [ids[0]] && !third.more && third.cursor.isEmpty)
            try await eventually("all have ended") {
                try await page(#"{"filters":[{"key":"status","values":["succeed"]}]}"#).ids.count == 6
            }
            #expect(try await page(#"{"filters":[{"key":"status","values":["failed"]}]}"#).ids.isEmpty)
            #expect(try await page(#"{"end_time":1000}"#).ids.isEmpty)
        }
    }

    @Test(arguments: [
        ("GET", "/solutions", nil, "task_ids"),
        ("GET", "/solutions?task_ids=a&external_task_ids=b", nil, "external_task_ids"),
        ("POST", "/solutions", #"{"limit":0}"#, "limit"), ("POST", "/solutions", #"{"cursor":"x"}"#, "cursor"),
        ("POST", path, #"{"contents":[]}"#, "contents"),
        ("POST", path, #"{"contents":[{"type":"person_image","url":"data:"}]}"#, "contents[0].url"),
    ])
    func `bad input is refused, naming the member`(
        _ method: String, _ path: String, _ body: String?, _ name: String
    ) async throws {
        try await Rig.run { rig in
            let answer = try await rig.gateway.ask(method, path, body: body)
            #expect(answer.status == 400 && answer.error["param"] as? String == name, "\(answer.text)")
        }
    }

    @Test func `a create that needs the newer API goes to an account that has it, or is refused, naming the setting`()
        async throws
    {
        let old = Rig.Account(name: "old", settings: "weight: 100")
        try await Rig.run([old]) { rig in
            let answer = try await Self.create(rig, #","settings":{"keep_face":false}"#)
            #expect(
                answer.status == 400 && answer.text.contains("keep_face") && rig.kling.tasks.isEmpty, "\(answer.text)")
        }
        let new = Rig.Account(name: "new", settings: "api: solutions", api: .solutions)
        try await Rig.run([old, new]) { rig in
            let answer = try await Self.create(rig, #","settings":{"keep_face":false}"#)
            #expect(answer.status == 200, "\(answer.text)")
            #expect(rig.kling.tasks.map(\.account) == ["new"])
        }
    }
}
