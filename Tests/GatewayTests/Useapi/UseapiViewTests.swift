import Base
import Foundation
import KlingAPI
import Testing

@testable import Gateway
@testable import TaskStore

struct UseapiViewTests {
    /// The state of a task.
    private enum Step {
        case intent, open, queued, submitted, processing
        case made([String])
        case failed(String)
        case lost(String)
        case refused(String)
    }

    private func task(_ id: TaskID, _ step: Step) -> TaskRecord {
        var task = TaskRecord(
            NewTask(id: id, tenant: "shop", assignment: Assignment(account: "kling"), model: "m", createdAt: 1_000))
        func answer(_ status: String, _ more: String) -> [UInt8] {
            Array(#"{"task_id":"815","task_status":"\#(status)",\#(more)}"#.utf8)
        }
        switch step {
        case .intent: return task
        case .open: break
        case .queued: task.state = .queued
        case .submitted: (task.state, task.statusWord) = (.submitted, "submitted")
        case .processing: (task.state, task.statusWord) = (.processing, "processing")
        case .made(let urls):
            (task.state, task.statusWord) = (.succeed, "succeed")
            let images = urls.enumerated().map { #"{"index":\#($0),"url":"\#($1)"}"# }.joined(separator: ",")
            task.answer = answer("succeed", #""task_result":{"images":[\#(images)]}"#)
        case .failed(let reason):
            (task.state, task.statusWord) = (.failed, "failed")
            task.answer = answer("failed", #""task_status_msg":"\#(reason)""#)
        case .lost(let reason): (task.state, task.statusWord) = (.failed, reason)
        case .refused(let reason):
            (task.state, task.statusWord) = (.refused, reason)
            return task
        }
        task.publicID = "815"
        task.updatedAt = 2_000
        return task
    }

    private func job(
        _ steps: Step..., shape: Shape = .useapi, replyRef: String? = nil,
        url: String? = "https://shop.example/hook"
    ) async throws -> JobRecord {
        let body = "{\(UseapiRequestTests.human),\(UseapiRequestTests.dress),\"imageCount\":\(steps.count)}"
        let request = try UseapiRequest(
            try await UseapiMembers(json: Bytes(Array(body.utf8))), models: .documented)
        return JobRecord(
            number: 100_000_001, tenant: "shop", shape: shape.rawValue,
            request: shape == .useapi ? UseapiView.taskInfo(request) : [0x7B],
            callbackURL: url, callbackRef: replyRef, idempotencyKey: nil, account: nil, createdAt: 1_000,
            tasks: zip(taskIDs(steps.count), steps).map { task($0, $1) })
    }

    private func object(_ json: [UInt8]) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
    }

    @Test func `a new job is shown as in useapi's documentation`() async throws {
        let page = """
            {"task":{"id":100000001,"userId":12345,"type":"mmu_img2img_aitryon","scene":"NORMAL_CREATION","status":5,
            "status_name":"submitted","status_final":false,"taskInfo":{"type":"mmu_img2img_aitryon","inputs":[
            {"name":"humanImage","inputType":"URL","token":null,"blobStorage":null,"url":"https://example.com/person.jpg",
            "cover":null,"fromWorkId":null},
            {"name":"dressInput","inputType":"URL","token":null,"blobStorage":null,"url":"https://example.com/dress.jpg",
            "cover":null,"fromWorkId":null}],"arguments":[{"name":"personType","value":"Female"},
            {"name":"imageCount","value":"2"}],"extraArgs":{},"callbackPayloads":[],"scene":"NORMAL_CREATION"},
            "favored":false,"deleted":false,"viewed":false,"createTime":1000,"updateTime":2000},"works":[],"status":5,
            "status_name":"submitted","status_final":false,"etaTime":0,"message":"","limitation":{
            "type":"mmu_img2img_aitryon","remaining":10000,"limit":10000},"userPoints":{"points":[],"total":0},
            "userTickets":{"ticket":[]},"editProject":null}
            """
        var shown = try object(UseapiView.json(try await job(.submitted, .intent)))
        var task = try #require(shown["task"] as? [String: Any])
        let user = try #require(task["userId"] as? Int)
        #expect((0...Int(Int32.max)).contains(user))
        task["userId"] = 12345
        shown["task"] = task
        #expect(NSDictionary(dictionary: shown) == NSDictionary(dictionary: try object(Array(page.utf8))))
    }

    @Test func `a job's status follows from its tasks`() async throws {
        let jobs: [(JobRecord, Int, String, Bool, String, Int)] = [
            (try await job(.queued), 5, "submitted", false, "", 0),
            (try await job(.submitted, .queued, .intent), 5, "submitted", false, "", 0),
            (try await job(.processing, .submitted), 10, "processing", false, "", 0),
            (try await job(.made(["u"]), .submitted), 10, "processing", false, "", 1),
            (
                try await job(.failed("risk"), .submitted), 10, "processing", false,
                "1 of 2 pictures failed: risk", 0
            ),
            (try await job(.made(["u"])), 99, "succeed", true, "", 1),
            (try await job(.made(["u"]), .made(["v"]), .made(["w"]), .made(["x"])), 99, "succeed", true, "", 4),
            (
                try await job(.made(["u"]), .refused("refused"), .failed("risk")), 99, "succeed", true,
                "2 of 3 pictures failed: refused; risk", 1
            ),
            (try await job(.failed("risk")), 50, "failed", true, "risk", 0),
            (try await job(.lost("not sent")), 50, "failed", true, "not sent", 0),
            (
                try await job(.failed("risk"), .failed("risk")), 50, "failed", true,
                "2 of 2 pictures failed: risk", 0
            ),
            (try await job(.made([])), 50, "failed", true, "Kling sent no picture and no reason", 0),
        ]
        for (job, number, name, isFinal, message, works) in jobs {
            let shown = try object(UseapiView.json(job))
            for part in [shown, try #require(shown["task"] as? [String: Any])] {
                #expect(part["status"] as? Int == number, "\(job)")
                #expect(part["status_name"] as? String == name)
                #expect(part["status_final"] as? Bool == isFinal)
            }
            #expect(shown["message"] as? String == message)
            #expect((shown["works"] as? [Any])?.count == works)
        }
    }

    @Test func `each picture is a work with a unique number`() async throws {
        let shown = try object(
            UseapiView.json(try await job(.made(["https://a/1", "https://a/2"]), .made(["https://a/3"]))))
        let works = try #require(shown["works"] as? [[String: Any]])
        let numbers = works.compactMap { $0["workId"] as? Int }
        #expect(Set(numbers).count == 3 && numbers.allSatisfy { (1..<1 << 53).contains($0) })
        for (work, url) in zip(works, ["https://a/1", "https://a/2", "https://a/3"]) {
            #expect(work["taskId"] as? Int == 100_000_001)
            #expect(work["type"] as? String == "mmu_img2img_aitryon")
            #expect(work["status"] as? Int == 99)
            #expect(work["contentType"] as? String == "image")
            for part in ["resource", "cover"] {
                let resource = try #require(work[part] as? [String: Any])
                #expect(resource["resource"] as? String == url)
                #expect(Set(resource.keys) == ["resource", "height", "width", "duration"])
            }
        }
    }

    @Test func `a job of another shape is shown without its inputs and has no callback`() async throws {
        let job = try await job(.made(["https://a/1"]), shape: .openAI)
        let shown = try object(UseapiView.json(job))
        let info = try #require((shown["task"] as? [String: Any])?["taskInfo"] as? [String: Any])
        #expect((info["inputs"] as? [Any])?.isEmpty == true && info["type"] as? String == "mmu_img2img_aitryon")
        #expect((shown["works"] as? [Any])?.count == 1)
        #expect(UseapiCallback.delivery(before: nil, after: job) == nil)
    }

    @Test func `the gateway's own id never appears in a message`() async throws {
        let id = taskIDs(1)[0]
        var job = try await job(.submitted)
        job.tasks = [task(id, .failed("task \(id) was refused"))]
        #expect(!String(decoding: UseapiView.json(job), as: UTF8.self).contains(id.description))
    }

    // MARK: Callbacks

    @Test func `each status of a job is delivered once, and its end last`() async throws {
        let (nothing, queued) = (try await job(.intent, .intent), try await job(.queued, .queued))
        let (first, both) = (try await job(.submitted, .intent), try await job(.submitted, .submitted))
        let (running, open) = (try await job(.processing, .submitted), try await job(.open, .open))
        let (half, lost) = (try await job(.made(["u"]), .processing), try await job(.failed("x"), .processing))
        let (done, dead) = (try await job(.made(["u"]), .made(["v"])), try await job(.failed("x"), .refused("y")))
        let steps: [(before: JobRecord?, after: JobRecord, status: String?)] = [
            (nil, nothing, nil), (nil, queued, "submitted"), (nothing, first, "submitted"), (first, both, nil),
            (queued, both, nil), (both, running, "processing"), (running, half, "processing"),
            (running, lost, "processing"), (half, half, nil), (half, done, "succeed"), (lost, dead, "failed"),
            (nothing, done, "succeed"), (nothing, open, nil), (open, lost, "processing"),
        ]
        var identifiers: [String: String] = [:]
        for step in steps {
            let delivery = UseapiCallback.delivery(before: step.before, after: step.after)
            #expect((delivery == nil) == (step.status == nil), "\(step)")
            guard let delivery else { continue }
            #expect(try object(delivery.body)["status_name"] as? String == step.status)
            #expect(delivery.isLast == ["succeed", "failed"].contains(step.status ?? ""))
            #expect(delivery.url == "https://shop.example/hook")
            #expect(!delivery.id.contains("."))
            identifiers[delivery.id] = step.status
        }
        #expect(identifiers.count == 5)
        #expect(UseapiCallback.delivery(before: nil, after: try await job(.queued, url: nil)) == nil)
    }

    @Test func `a callback has a query's answer and the client's reference`() async throws {
        let job = try await job(.made(["https://a/1"]), replyRef: "order \"4711\"")
        var sent = try object(try #require(UseapiCallback.delivery(before: nil, after: job)).body)
        #expect(sent.removeValue(forKey: "replyRef") as? String == "order \"4711\"")
        #expect(NSDictionary(dictionary: sent) == NSDictionary(dictionary: try object(UseapiView.json(job))))
        let plain = try await self.job(.made(["https://a/1"]))
        #expect(try object(try #require(UseapiCallback.delivery(before: nil, after: plain)).body)["replyRef"] == nil)
    }
}
