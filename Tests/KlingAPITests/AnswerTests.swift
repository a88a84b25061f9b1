import Base
import Foundation
import KlingAPI
import Testing

struct AnswerTests {
    private static let processing =
        #"{"code":0,"message":"SUCCEED","request_id":"r1","extra":{"a":1.0},"data":{"task_id":"815335657866002502","#
        + #""task_status":"processing","new":[1,2],"task_info":{"external_task_id":"GATEWAY","parent":{"x":1}},"created_at":1722769557708,"updated_at":1722769557709}}"#

    private func envelope(_ text: String) -> KlingAnswer? { KlingAnswer(Array(text.utf8)) }
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func `an envelope and its task are read`() throws {
        let answer = try #require(envelope(Self.processing))
        #expect(answer.code == .ok && answer.message == "SUCCEED" && answer.requestID == "r1")
        let task = try #require(answer.task)
        #expect(task.taskID == "815335657866002502" && task.status == .processing)
        #expect(task.externalTaskID == "GATEWAY")
        #expect(task.createdAt == 1_722_769_557_708 && task.updatedAt == 1_722_769_557_709)
        #expect(task.images.isEmpty)
        #expect(answer.tasks == nil)
    }

    @Test(arguments: [
        "", "<html>", "[]", "{}", "{\"code\":\"success\"}", "{\"code\":0.5}", "{\"code\":0,\"code\":1}", "{\"code\":0",
        "{\"code\":null}",
        "{\"code\":99999999999999999999}",
    ])
    func `anything else is not an envelope`(body: String) {
        #expect(envelope(body) == nil)
    }

    @Test(arguments: [
        (#"{"code":0,"data":{"task_id":"a","task_\u0069d":"b"},"message":"m"}"#, true),
        (#"{"code":0,"data":{"task_info":{"a":1,"a":2}},"message":"m"}"#, true),
        (#"{"code":0,"data":"x","message":"m"}"#, true), (#"{"code":0,"data":{"task_id":"a"]}"#, false),
        (#"{"code":0,"data":{"task_id":"a"}"#, false), (#"{"code":0,"data":{"task_id":"a"},}"#, false),
    ])
    func `a task that is not valid leaves the envelope readable if it is JSON`(body: String, isEnvelope: Bool) {
        let answer = envelope(body)
        #expect((answer != nil) == isEnvelope)
        #expect(answer?.task == nil)
        #expect(answer.map(\.message) == (isEnvelope ? "m" : nil))
    }

    @Test func `a task is read wherever it is in the envelope, and no deeper than the envelope may be`() throws {
        let answer = try #require(envelope(#"{"d\u0061ta" : { "task_id" : "7" } , "code" : 0 }"#))
        #expect(answer.task?.taskID == "7")
        #expect(text(try #require(answer.task).json.map(\.self)) == #"{ "task_id" : "7" }"#)
        for (depth, isValid) in [(62, true), (63, false)] {
            let lists = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            #expect((envelope(#"{"code":0,"data":{"a":\#(lists)}}"#)?.task != nil) == isValid)
        }
    }

    @Test func `members are copied with the blanks in their values, but without those between them`() throws {
        let answer = try #require(envelope(#"{ "code" : 0, "a":{ "b" : [1, 2] } , "request_id" :"x"}"#))
        #expect(text(answer.relayed(requestID: "y")) == #"{"code":0,"a":{ "b" : [1, 2] },"request_id":"y"}"#)
    }

    @Test func `a list yields its tasks`() throws {
        let answer = try #require(
            envelope(
                #"{"code":0,"data":[{"task_id":1,"task_result":{"images":[{"index":0,"url":"u"},{"url":""},7]}},3,{"task_id":"b"}]}"#
            ))
        #expect(answer.tasks?.map(\.taskID) == ["1", "b"])
        #expect(answer.tasks?.first?.images == [TaskImage(index: 0, url: "u")])
    }

    @Test(arguments: [
        (#"{"code":1201,"message":"Task not found"}"#, true), (#"{"code":1203}"#, true), (#"{"code":1303}"#, false),
        (#"{"code":0,"data":{"task_id":"x","task_status":"failed","task_status_msg":"Task not found."}}"#, true),
        (#"{"code":0,"data":{"task_id":"x","task_status":"failed","task_status_msg":"risk control"}}"#, false),
        (#"{"code":0,"data":{"task_id":"x","task_status":"processing","task_status_msg":"task not found"}}"#, false),
        (#"{"code":0}"#, false),
    ])
    func `an unknown task is recognized in all three forms`(body: String, isUnknown: Bool) {
        #expect(envelope(body)?.isUnknownTask == isUnknown)
    }

    @Test(
        arguments: [
            (200, #"{"code":0,"data":{"task_id":"7"}}"#, .accepted(taskID: "7")),
            (200, #"{"code":0,"data":{"task_id":""}}"#, .ambiguous),
            (200, #"{"code":0,"data":{}}"#, .ambiguous), (200, "ok", .ambiguous), (500, "", .ambiguous),
            (200, #"{"code":0,"data":{"task_id":"a\u0001b"}}"#, .ambiguous),
            (200, #"{"code":0,"data":{"task_id":"\#(String(repeating: "9", count: 257))"}}"#, .ambiguous),
            (413, "", .refusedHere), (411, "", .refusedHere), (414, "", .refusedHere), (415, "", .refusedHere),
            (431, "", .refusedHere), (400, "", .ambiguous), (408, "", .ambiguous), (409, "", .ambiguous),
            (401, "<html>", .refusedForNow), (402, "", .refusedForNow), (403, "", .refusedForNow),
            (404, "", .refusedForNow), (405, "", .refusedForNow), (501, "", .refusedForNow),
            (502, "", .ambiguous), (503, "", .ambiguous), (504, "", .ambiguous),
            (403, #"{"code":"insufficient_user_quota","message":"m","data":null}"#, .refusedForNow),
            (429, #"{"error":{"code":"insufficient_user_quota","message":"m"}}"#, .refusedForNow),
            (503, #"{"error":{"code":"model_not_found","message":"m"}}"#, .refusedForNow),
            (400, #"{"code":"invalid_request","message":"m","data":null}"#, .refusedHere),
            (500, #"{"code":"do_request_failed","message":"m"}"#, .ambiguous),
            (400, #"{"code":"task_failed","message":"m"}"#, .ambiguous),
            (429, "", .refusedForNow), (302, "", .refusedForNow), (429, #"{"code":1302}"#, .refusedForNow),
            (429, #"{"code":1303}"#, .refusedForNow), (503, #"{"code":5001}"#, .refusedForNow),
            (401, #"{"code":1004}"#, .refusedForNow),
            (429, #"{"code":1102}"#, .refusedForNow), (403, #"{"code":1103}"#, .refusedForNow),
            (400, #"{"code":1201}"#, .refusedForGood),
            (400, #"{"code":1201,"message":"external_task_id already exists"}"#, .ambiguous),
            (400, #"{"code":1301}"#, .refusedForGood), (404, #"{"code":1203}"#, .refusedForGood),
            (422, #"{"code":777}"#, .refusedForGood),
            (500, #"{"code":5000}"#, .ambiguous), (504, #"{"code":5002}"#, .ambiguous),
            (400, #"{"code":5002}"#, .ambiguous),
            (500, #"{"code":777}"#, .ambiguous), (200, #"{"code":1201}"#, .ambiguous),
        ] as [(Int, String, CreateOutcome)])
    func `each answer to a create has one outcome`(status: Int, body: String, outcome: CreateOutcome) {
        let judged =
            if let answer = envelope(body) { CreateOutcome(httpStatus: status, answer) } else {
                CreateOutcome(BareAnswer(httpStatus: status, body: Array(body.utf8)))
            }
        #expect(judged == outcome)
    }

    @Test func `the client's ids are restored and the rest stays the same`() throws {
        let task = try #require(envelope(Self.processing)?.task)
        let own = text(task.rewritten(taskID: "P", externalTaskID: "mine\"", status: .submitted))
        #expect(
            own
                == #"{"task_id":"P","task_status":"submitted","new":[1,2],"task_info":{"external_task_id":"mine\"","parent":{"x":1}},"#
                + #""created_at":1722769557708,"updated_at":1722769557709}"#)
        let none = text(task.rewritten(taskID: "P", externalTaskID: nil))
        #expect(none.contains(#""task_info":{"parent":{"x":1}}"#) && none.contains("processing"))
    }

    @Test(arguments: [
        #"{"task_id":"k","external_task_id":"GATEWAY"}"#, #"{"task_id":"k","task_info":"GATEWAY"}"#,
        #"{"task_id":"k","task_info":{"external\u005ftask_id":"GATEWAY"}}"#,
        #"{"external_id":"GATEWAY","task_info":null}"#,
        #"{"task_id":5,"task_info":{"external_task_id":"GATEWAY"},"external_task_id":"GATEWAY"}"#, "{}",
    ])
    func `the gateway's id is never shown`(json: String) throws {
        let task = try #require(TaskObject(Array(json.utf8)))
        for own in [nil, "mine"] {
            let bytes = task.rewritten(taskID: "P", externalTaskID: own)
            #expect(!text(bytes).contains("GATEWAY"))
            let again = try #require(TaskObject(bytes))
            #expect(again.taskID == "P" && again.externalTaskID == own)
            #expect(throws: Never.self) { try members(bytes) }
        }
    }

    @Test func `an object with an id in two places is rejected`() {
        #expect(TaskObject(Array(#"{"task_info":{"external_task_id":"a","external_task_id":"b"}}"#.utf8)) == nil)
        #expect(TaskObject(Array(#"{"task_id":"a","task_\u0069d":"b"}"#.utf8)) == nil)
    }

    @Test func `an answer is relayed member for member`() throws {
        let relayed = try #require(envelope(Self.processing)).relayed(requestID: "r2", data: Array("[]".utf8))
        #expect(text(relayed) == #"{"code":0,"message":"SUCCEED","request_id":"r2","extra":{"a":1.0},"data":[]}"#)
        let added = try #require(envelope(#"{"code":1303}"#)).relayed(requestID: "r")
        #expect(text(added) == #"{"code":1303,"request_id":"r"}"#)
    }

    @Test func `a written task reads back`() throws {
        let fields = TaskFields(
            taskID: "1", status: .succeed, statusMessage: "", createdAt: 5, updatedAt: 6, externalTaskID: "e",
            images: [TaskImage(index: 0, url: "https://x/y.png")], finalUnitDeduction: "1")
        let task = try #require(TaskObject(fields.json))
        #expect(task.taskID == "1" && task.status == .succeed && task.externalTaskID == "e")
        #expect(task.createdAt == 5 && task.updatedAt == 6 && task.images == fields.images)
        #expect(task.finalUnitDeduction == "1" && task.statusMessage == "")
        let envelope = try #require(KlingAnswer(Envelope.success(requestID: "r", data: fields.json)))
        #expect(envelope.code == .ok && envelope.task?.taskID == "1")
    }

    @Test func `an error has the members of both shapes`() {
        let error = Envelope.ErrorObject(message: "m", type: "invalid_request_error", code: "1201")
        let body = Envelope.failure(.invalidParameter, message: "m", requestID: "r", error: error)
        #expect(
            text(body)
                == #"{"code":1201,"message":"m","request_id":"r","error":{"message":"m","type":"invalid_request_error","param":null,"code":"1201"}}"#
        )
    }

    @Test func `every documented code has a class and a meaning`() {
        #expect(KlingCode.documented.count == 22)
        #expect(KlingCode.documented.map(\.rawValue) == KlingCode.documented.map(\.rawValue).sorted())
        #expect(KlingCode.documented.allSatisfy { $0.class != .unknown && !$0.meaning.isEmpty })
        #expect(KlingCode.concurrencyExceeded.httpStatus == 429 && KlingCode.addressNotAllowed.class == .credentials)
        let unknown = KlingCode(rawValue: 4242)
        #expect(unknown.rawValue == 4242 && unknown.class == .unknown && unknown.httpStatus == 500)
        #expect(!TaskStatus(rawValue: "resting").isFinal && !TaskStatus(rawValue: "resting").isKnown)
    }
}
