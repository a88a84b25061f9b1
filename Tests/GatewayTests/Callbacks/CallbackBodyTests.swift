import Foundation
import KlingAPI
import Testing

@testable import Gateway
@testable import TaskStore

struct CallbackBodyTests {
    private static let id = taskIDs(1)[0]

    /// A task as the store would return it.
    private func task(
        _ state: TaskState, word: String? = nil, publicID: String? = "815", url: String? = "https://shop.example/k",
        externalTaskID: String? = nil, answer: String? = nil, at time: Int64 = 5
    ) -> TaskRecord {
        var record = TaskRecord(
            NewTask(
                id: Self.id, tenant: "shop", assignment: Assignment(account: "kling"), externalTaskID: externalTaskID,
                model: "m",
                callbackURL: url, createdAt: 1))
        record.state = state
        record.statusWord = word ?? (state >= .submitted ? "\(state)" : "")
        record.publicID = publicID
        record.upstreamID = state >= .submitted ? "815" : nil
        record.answer = answer.map { Array($0.utf8) }
        record.updatedAt = time
        return record
    }

    private func delivery(_ before: TaskRecord?, _ after: TaskRecord) -> NewDelivery? {
        CallbackBody.delivery(before: before, after: after)
    }

    private func json(_ delivery: NewDelivery?) throws -> [String: Any] {
        let body = try #require(delivery).body
        return try #require(try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any])
    }

    @Test func `each status that the client sees is delivered once, and submitted only as the first`() throws {
        let intent = task(.intent, publicID: nil)
        let shown = task(.intent)
        let (queued, submitted, processing) = (task(.queued), task(.submitted), task(.processing))
        let (succeed, failed) = (task(.succeed), task(.failed, word: "not sent within 30m; nothing was charged"))
        let (waiting, odd) = (task(.submitted, word: "waiting.in/line"), task(.processing, word: "upscaling"))
        let steps: [(before: TaskRecord?, after: TaskRecord, word: String?)] = [
            (nil, intent, nil), (intent, shown, nil), (nil, queued, "submitted"), (intent, queued, "submitted"),
            (intent, submitted, "submitted"), (shown, submitted, "submitted"), (queued, submitted, nil),
            (submitted, submitted, nil), (submitted, processing, "processing"), (processing, processing, nil),
            (intent, processing, "processing"), (intent, succeed, "succeed"), (shown, failed, "failed"),
            (queued, failed, "failed"), (processing, succeed, "succeed"), (processing, failed, "failed"),
            (submitted, waiting, "waiting.in/line"), (waiting, submitted, nil), (waiting, processing, "processing"),
            (processing, odd, "upscaling"), (odd, processing, "processing"), (odd, succeed, "succeed"),
            (intent, task(.refused, word: "refused", publicID: nil), nil),
            (task(.queued, publicID: nil), queued, "submitted"), (intent, task(.queued, publicID: nil), nil),
        ]
        for step in steps {
            let delivery = delivery(step.before, step.after)
            #expect(delivery != nil || step.word == nil, "\(step)")
            guard let delivery else { continue }
            #expect(try json(delivery)["task_status"] as? String == step.word, "\(step)")
            #expect(delivery.isLast == step.after.state.isFinal)
            #expect(delivery.url == "https://shop.example/k")
        }
    }

    @Test func `a task without a callback URL or a public id has no deliveries`() {
        for state in TaskState.allCases {
            #expect(delivery(nil, task(state, url: nil)) == nil)
            #expect(delivery(nil, task(state, publicID: nil)) == nil)
        }
    }

    @Test func `a message's id is the same for the same step and differs for any other`() throws {
        let first = try #require(delivery(nil, task(.submitted)))
        #expect(delivery(nil, task(.submitted)) == first)
        #expect(delivery(nil, task(.processing))?.id != first.id)
        #expect(delivery(nil, task(.submitted, at: 6))?.id != first.id)
        #expect(first.id.hasPrefix("msg_") && !first.id.contains(".") && !first.id.contains(Self.id.description))
    }

    @Test func `the body is Kling's task object with the client's ids`() throws {
        let answer = """
            {"task_id":"kling-9","task_status":"succeed","task_status_msg":"","created_at":7,"updated_at":8,
            "task_info":{"external_task_id":"\(Self.id)","parent_video":null},"final_unit_deduction":"1","new":[1],
            "task_result":{"images":[{"index":0,"url":"https://cdn/x.png"}]},"echo":"\(Self.id)"}
            """
        let body = try json(delivery(nil, task(.succeed, externalTaskID: "order-1", answer: answer)))
        #expect(body["task_id"] as? String == "815")
        #expect((body["task_info"] as? [String: Any])?["external_task_id"] as? String == "order-1")
        #expect(body["final_unit_deduction"] as? String == "1")
        #expect(body["new"] as? [Int] == [1])
        #expect(body["echo"] as? String == "order-1")
        #expect(body["code"] == nil && body["data"] == nil)
        #expect(body["updated_at"] as? Int == 8)
    }

    @Test func `an end that Kling did not report overrides Kling's last answer`() throws {
        let answer = #"{"task_id":"815","task_status":"processing","created_at":7,"updated_at":8}"#
        let body = try json(delivery(nil, task(.failed, word: "lost at Kling", answer: answer, at: 99)))
        #expect(body["task_status"] as? String == "failed")
        #expect(body["task_status_msg"] as? String == "lost at Kling")
        #expect(body["updated_at"] as? Int == 99)
        #expect((body["task_info"] as? [String: Any])?.isEmpty == true)
    }
}
