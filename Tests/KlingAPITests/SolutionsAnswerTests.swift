import Foundation
import KlingAPI
import Testing

struct SolutionsAnswerTests {
    private static let done =
        #"{"id":"815","status":"succeeded","message":"","create_time":5,"update_time":6,"external_id":"GW","#
        + #""outputs":[{"type":"video","url":"https://x/v.mp4"},{"type":"image","url":"https://x/y.png","watermark_url":"https://x/w.png","w":9}],"#
        + #""billing":[{"charge_type":"unit","amount":"1","package_type":"image"}],"new":{"a":[1]}}"#
    private static let running =
        #"{"id":"816","status":"processing","message":null,"create_time":7,"update_time":8,"external_id":"GW2","outputs":[],"billing":[]}"#

    private func read(_ text: String) -> SolutionsAnswer? { SolutionsAnswer(Array(text.utf8)) }
    private func query(_ data: String) throws -> SolutionsAnswer {
        try #require(read(#"{"code":0,"message":"SUCCEED","request_id":"r","data":\#(data)}"#))
    }
    private func taken(_ text: String) -> TaskObject? { TaskObject(solutions: Array(text.utf8)) }
    private func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    // MARK: Tasks

    @Test func `a task is converted to the older shape and keeps unknown members`() throws {
        let task = try #require(taken(Self.done))
        #expect(
            text(task.json)
                == #"{"task_id":"815","task_status":"succeed","created_at":5,"updated_at":6,"#
                + #""task_info":{"external_task_id":"GW"},"task_result":{"images":[{"index":0,"url":"https://x/y.png","#
                + #""watermark_url":"https://x/w.png","w":9}]},"final_unit_deduction":"1","#
                + #""billing":[{"charge_type":"unit","amount":"1","package_type":"image"}],"new":{"a":[1]}}"#)
        #expect(task.taskID == "815" && task.status == .succeed && task.externalTaskID == "GW")
        #expect(task.createdAt == 5 && task.updatedAt == 6 && task.finalUnitDeduction == "1")
        #expect(
            task.images == [TaskImage(index: 0, url: "https://x/y.png", watermarkURL: "https://x/w.png")])
        #expect(task.billing == [Billing(kind: .unit, amount: "1", packageType: "image")])
    }

    @Test(arguments: [
        (
            running,
            #"{"task_id":"816","task_status":"processing","created_at":7,"updated_at":8,"task_info":{"external_task_id":"GW2"},"billing":[]}"#
        ),
        (
            #"{"id":7,"status":"failed","message":"no human"}"#,
            #"{"task_id":7,"task_status":"failed","task_status_msg":"no human"}"#
        ),
        (#"{"task_id":"1","status":"submitted","external_id":""}"#, #"{"task_status":"submitted","task_id":"1"}"#),
        (#"{"id":"1","task_id":"1","status":"resting"}"#, #"{"task_id":"1","task_status":"resting"}"#),
        (
            #"{"id":"1","status":7,"message":8,"external_id":{},"outputs":"none","billing":"free"}"#,
            #"{"task_id":"1","billing":"free"}"#
        ),
        (
            #"{"id":"1","outputs":[7,{"type":"image"},{"type":"image","url":""},{"url":"u"},{"url":"a","url":"b"}]}"#,
            #"{"task_id":"1","task_result":{"images":[{"index":0,"url":"u"}]}}"#
        ),
        (
            #"{"id":"1","outputs":[{"type":"image","url":"u","watermark_url":""}]}"#,
            #"{"task_id":"1","task_result":{"images":[{"index":0,"url":"u"}]}}"#
        ),
        (#"{"i\u0064":"1","st\u0061tus":"succeed"}"#, #"{"task_id":"1","task_status":"succeed"}"#),
        (
            #"{"id":"1","billing":[{"charge_type":"cash","amount":"0.5","cash_type":"balance","list_price":"0.7","currency":"CNY"}]}"#,
            #"{"task_id":"1","final_balance_deduction":{"quota":"0.5","list_price":"0.7"},"billing":[{"charge_type":"cash","amount":"0.5","cash_type":"balance","list_price":"0.7","currency":"CNY"}]}"#
        ),
        ("{}", "{}"),
        (
            #"{"task_id":"1","task_status":"succeeded","task_status_msg":"","task_info":{"external_task_id":"e"},"created_at":1}"#,
            #"{"task_status":"succeed","task_id":"1","task_info":{"external_task_id":"e"},"created_at":1}"#
        ),
    ])
    func `members get the names of the older shape`(solutions: String, older: String) throws {
        #expect(text(try #require(taken(solutions)).json) == older)
    }

    @Test(arguments: [
        "", "[]", "7", "{", #"{"id":"1","id":"2"}"#, #"{"id":"1","task_id":"2"}"#, #"{"id":"1","i\u0064":"1"}"#,
        "{\"id\":\"1\",\"x\":" + String(repeating: "[", count: 64) + String(repeating: "]", count: 64) + "}",
    ])
    func `an object that contradicts itself, or no object, is not a task`(json: String) {
        #expect(taken(json) == nil)
    }

    // MARK: Answers

    @Test(
        arguments: [
            (
                #"{"code":0,"data":{"task_id":"9","status":"submitted","create_time":1,"update_time":1,"external_id":"e"}}"#,
                .accepted(taskID: "9")
            ),
            (#"{"code":0,"data":{"id":"9","status":"submitted"}}"#, .accepted(taskID: "9")),
            (#"{"code":0,"data":{"status":"submitted"}}"#, .ambiguous), (#"{"code":0,"data":[]}"#, .ambiguous),
            (#"{"code":0}"#, .ambiguous), (#"{"code":0,"data":{"task_id":"9","id":"8"}}"#, nil),
            (#"{"code":0,"data":{"task_id":["9"]}}"#, .ambiguous), (#"{"code":1303,"data":null}"#, .refusedForNow),
            (#"{"code":1301,"data":{}}"#, .ambiguous),
        ] as [(String, CreateOutcome?)])
    func `an answer to a create is judged as one of the older shape`(body: String, outcome: CreateOutcome?) throws {
        let created = try #require(read(body)).created
        #expect(created.map { CreateOutcome(httpStatus: 200, $0) } == outcome)
    }

    @Test func `an answer to a create has the envelope and a task of the older shape`() throws {
        let body =
            #"{"code":0,"message":"m","request_id":"r","data":{"task_id":"9","status":"submitted","create_time":1,"external_id":"e"}}"#
        let created = try #require(read(body)?.created)
        #expect(created.message == "m" && created.requestID == "r")
        #expect(
            text(try #require(created.data))
                == #"{"task_status":"submitted","created_at":1,"task_info":{"external_task_id":"e"},"task_id":"9"}"#)
        #expect(created.task?.externalTaskID == "e" && created.task?.status == .submitted)
    }

    @Test(arguments: [
        (#""status":"succeeded""#, TaskStatus.submitted), (#""status":"failed","message":"""#, .submitted),
        (#""status":"failed","message":"no person""#, .failed),
        (#""status":"succeed","outputs":[{"type":"image","url":"https://k.example/1.png"}]"#, .succeed),
    ])
    func `a created task that has ended counts as submitted unless its answer says how`(
        state: String, status: TaskStatus
    ) throws {
        let answer = try #require(read(#"{"code":0,"data":{"task_id":"9",\#(state)}}"#))
        #expect(answer.created?.task?.status == status)
    }

    @Test(arguments: ["", "<html>", "[]", "{}", #"{"code":"0"}"#, #"{"code":0,"code":0}"#, #"{"code":0"#])
    func `anything else is not an answer`(body: String) {
        #expect(read(body) == nil)
    }

    @Test func `a query yields its tasks and finds one by either id`() throws {
        let answer = try query("[\(Self.done),\(Self.running)]")
        #expect(answer.tasks?.map(\.taskID) == ["815", "816"])
        guard case .found(let envelope, let task) = answer.find("816", by: .taskIDs) else {
            Issue.record("not found by Kling's id")
            return
        }
        #expect(task.externalTaskID == "GW2" && envelope.task?.taskID == "816" && envelope.requestID == "r")
        guard case .found(_, let other) = answer.find("GW", by: .externalTaskIDs) else {
            Issue.record("not found by the creator's id")
            return
        }
        #expect(other.taskID == "815")
    }

    private func word(_ finding: SolutionsAnswer.Finding) -> String {
        switch finding {
        case .found: "found"
        case .unknown: "unknown"
        case .unclear: "unclear"
        }
    }

    @Test(
        arguments: [
            (#"{"code":0,"data":[]}"#, "unknown", "unknown"),
            ("{\"code\":0,\"data\":[\(running)]}", "unknown", "unknown"),
            ("{\"code\":0,\"data\":[\(running),\(done)]}", "found", "found"),
            (
                #"{"code":0,"data":[{"id":"815","external_id":"GW","status":"failed","message":"Task not found"}]}"#,
                "unknown", "unknown"
            ),
            (#"{"code":0,"data":[{"id":"815"}]}"#, "found", "unclear"),
            (#"{"code":0,"data":[{"external_id":"GW"}]}"#, "unclear", "found"),
            (#"{"code":0,"data":[{"id":"816","external_id":"GW2"},7]}"#, "unclear", "unclear"),
            (#"{"code":0,"data":[{"id":"815","id":"815"}]}"#, "unclear", "unclear"),
            (#"{"code":0,"data":[[]]}"#, "unclear", "unclear"),
            ("{\"code\":0,\"data\":\(done)}", "unclear", "unclear"), (#"{"code":0,"data":null}"#, "unclear", "unclear"),
            (#"{"code":0}"#, "unclear", "unclear"), (#"{"code":0,"data":"[]"}"#, "unclear", "unclear"),
            (#"{"code":1201,"message":"Task not found"}"#, "unknown", "unknown"),
            (#"{"code":1201,"message":"task_ids or external_task_ids is required"}"#, "unclear", "unclear"),
            (#"{"code":1203,"message":"The requested resource does not exist"}"#, "unclear", "unclear"),
            (#"{"code":1303}"#, "unclear", "unclear"), (#"{"code":5000,"data":[]}"#, "unclear", "unclear"),
        ])
    func `a task is unknown only if the answer shows it`(body: String, byID: String, byExternalID: String) throws {
        let answer = try #require(read(body))
        #expect(word(answer.find("815", by: .taskIDs)) == byID)
        #expect(word(answer.find("GW", by: .externalTaskIDs)) == byExternalID)
    }

    @Test(
        arguments: [
            (
                #"{"result":[\#(done),\#(running)],"count":2,"next_cursor":"c","has_more":true}"#, ["815", "816"], "c",
                true
            ),
            (#"{"result":[],"count":0,"next_cursor":"","has_more":false}"#, [], nil, false),
            (#"{"result":[\#(running),7,{"id":"1","id":"2"}],"next_cursor":5}"#, ["816"], "5", true),
            (#"{"result":[],"next_cursor":null,"has_more":true}"#, [], nil, true),
            (#"{"result":{}}"#, nil, nil, false), ("{}", nil, nil, false), ("null", nil, nil, false),
            (#""result""#, nil, nil, false), (#"{"result":[],"result":[]}"#, nil, nil, false),
        ] as [(String, [String]?, String?, Bool)])
    func `a list yields its tasks and where to continue`(data: String, ids: [String]?, cursor: String?, more: Bool) {
        // Data with a duplicate member is unreadable as a whole, but the envelope is not.
        let list = read(#"{"code":0,"data":\#(data)}"#)
        #expect(list?.tasks?.map(\.taskID) == ids)
        #expect(list?.nextCursor == cursor && list?.hasMore == more)
    }

    // MARK: Callbacks

    @Test(
        arguments: [
            (done, "815", "succeed", "GW"),
            (
                #"{"id":"1234567890","status":"succeeded","message":"","create_time":1,"update_time":2}"#, "1234567890",
                "succeed", nil
            ),
            (#"{"task_id":"7","task_status":"succeeded","task_info":{"external_task_id":"e"}}"#, "7", "succeed", "e"),
            (#"{"task_id":"7","task_status":"failed","status":"succeed","id":"8","message":"m"}"#, "7", "failed", nil),
            (#"{"id":"7"}"#, "7", nil, nil), (#"{"task_id":"7"}"#, "7", nil, nil), ("{}", nil, nil, nil),
            (#"{"id":"7","status":"submitted","outputs":[]}"#, "7", "submitted", nil),
        ] as [(String, String?, String?, String?)])
    func `a callback is read in either shape`(body: String, id: String?, status: String?, externalID: String?) throws {
        let task = try #require(TaskObject(callback: Array(body.utf8)))
        #expect(task.taskID == id && task.status?.rawValue == status && task.externalTaskID == externalID)
    }

    @Test(arguments: ["", "[]", "null", #"{"id":"1","task_id":"2"}"#, #"{"status":"a","status":"b"}"#])
    func `a callback without a valid task is refused`(body: String) {
        #expect(TaskObject(callback: Array(body.utf8)) == nil)
    }

    @Test func `both words for success are the same status, also when a task is shown`() throws {
        #expect(TaskStatus(rawValue: "succeeded") == .succeed && TaskStatus(rawValue: "succeeded").isFinal)
        let task = try #require(TaskObject(Array(#"{"task_id":"k","task_status":"succeeded"}"#.utf8)))
        #expect(task.status == .succeed)
        #expect(text(task.rewritten(taskID: "P", externalTaskID: nil)) == #"{"task_id":"P","task_status":"succeed"}"#)
    }
}
