import Base
import Foundation
import KlingSimulator
import TestKit
import Testing

/// Nothing that an OpenAI SDK does on its own pays twice.
@Suite(.aFewAtATime) struct OpenAIRetryTests {
    private static let retry = "x-stainless-retry-count: 1"
    private static let key = "Idempotency-Key: order-1"
    private static let short = "openai: { wait: 1s }"
    private static let hour = #"{"seconds":3600}"#

    @Test func `a task that moderation refuses is final and says so`() async throws {
        try await Rig.run { rig in
            let answer = try await rig.gateway.edit(instructions: #"{"outcome":"failed"}"#)
            #expect(answer.status == 400 && answer.isFinal, "\(answer.text)")
            #expect(answer.error["code"] as? String == "content_policy_violation")
            #expect((answer.error["message"] as? String)?.contains("risk control") == true)
            let id = try #require(answer.error["task_id"] as? String)
            #expect(try await rig.status(id) == "failed")
        }
    }

    @Test func `a task that fails for another reason is final too`() async throws {
        try await Rig.run { rig in
            let answer = try await rig.gateway.edit(
                instructions: #"{"outcome":"failed","message":"there is no human"}"#)
            #expect(answer.status == 400 && answer.isFinal)
            #expect(answer.error["code"] as? String == "task_failed")
            #expect((answer.error["message"] as? String)?.contains("there is no human") == true)
        }
    }

    @Test func `an edit whose first picture is refused makes nothing`() async throws {
        try await Rig.run { rig in
            try rig.fail("create:1301:1:1")
            let refused = try await rig.gateway.edit(#""n":2"#)
            #expect(refused.status == 400 && refused.error["code"] as? String == "content_policy_violation")
            #expect(rig.kling.tasks.isEmpty)
        }
    }

    @Test func `a picture that takes too long is answered 504 with the task's id`() async throws {
        try await Rig.run(settings: Self.short) { rig in
            let answer = try await rig.gateway.edit(instructions: Self.hour)
            #expect(answer.status == 504 && answer.isFinal, "\(answer.text)")
            #expect(answer.error["code"] as? String == "task_unfinished")
            let id = try #require(answer.error["task_id"] as? String)
            #expect(rig.kling.tasks.map(\.id) == [id])
            #expect(["submitted", "processing"].contains(try await rig.status(id) ?? ""))
        }
    }

    @Test func `a retry after a 504 attaches to the paid job, and another user's does not`() async throws {
        try await Rig.run(settings: Self.short) { rig in
            let first = try await rig.gateway.edit(instructions: Self.hour)
            let id = try #require(first.error["task_id"] as? String)
            let again = try await rig.gateway.edit(instructions: Self.hour, headers: [Self.retry])
            #expect(again.status == 504 && again.error["task_id"] as? String == id)
            let unnamed = try await rig.gateway.edit(instructions: Self.hour)
            #expect(unnamed.status == 504 && unnamed.error["task_id"] as? String == id)
            #expect(rig.kling.tasks.count == 1)
            let others = [
                try await rig.gateway.edit(
                    instructions: Self.hour, key: GatewayProcess.otherKey, headers: [Self.retry]),
                try await rig.gateway.edit(#""user":"b""#, instructions: Self.hour, headers: [Self.retry]),
            ]
            #expect(Set(others.map { $0.error["task_id"] as? String }).union([id]).count == 3)
            #expect(rig.kling.tasks.count == 3)
        }
    }

    @Test func `a form is recognized whatever its boundary`() async throws {
        try await Rig.run { rig in
            let pictures = [SamplePictures.person, SamplePictures.garment]
            let first = try await EditForm(pictures).sent(to: rig.gateway)
            let again = try await EditForm(pictures).sent(to: rig.gateway, headers: [Self.retry])
            #expect(first.status == 200 && again.status == 200, "\(first.text) \(again.text)")
            #expect(first.json["task_id"] as? String == again.json["task_id"] as? String)
            let other = try await EditForm(pictures.reversed()).sent(to: rig.gateway, headers: [Self.retry])
            #expect(other.status == 200)
            #expect(rig.kling.tasks.count == 2)
        }
    }

    @Test func `a client that has left gets its picture on the next attempt`() async throws {
        try await Rig.run(settings: "openai: { wait: 60s }") { rig in
            let body = EditJSON.body(instructions: #"{"seconds":3}"#)
            let (port, kling) = (rig.gateway.port, rig.kling)
            try await blocking {
                let client = try RawClient(port: port)
                try client.send(
                    "POST \(EditForm.path) HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer \(GatewayProcess.key)\r\n"
                        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
                while kling.tasks.isEmpty { usleep(10_000) }
                client.reset()
            }
            let answer = try await rig.gateway.edit(instructions: #"{"seconds":3}"#, headers: [Self.retry])
            #expect(answer.status == 200, "\(answer.text)")
            #expect(rig.kling.tasks.map(\.id) == [answer.json["task_id"] as? String])
        }
    }

    @Test func `a client that resends an open create waits no longer than others do`() async throws {
        try await Rig.run(settings: Self.short) { rig in
            try rig.fail("create:slow=60:1:1")
            let (port, body) = (rig.gateway.port, EditJSON.body())
            let client = try await blocking { try RawClient(port: port) }
            try await blocking {
                try client.send(
                    "POST \(EditForm.path) HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer \(GatewayProcess.key)\r\n"
                        + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            }
            try await eventually("Kling has the create") { rig.creates() == 1 }
            try rig.fail("query:http-500")
            try await rig.kill()
            try await rig.start(settings: Self.short)
            let start = MonotonicTime.now
            let again = try await rig.gateway.edit()
            #expect(again.status == 504 && again.error["task_id"] != nil, "\(again.text)")
            #expect(MonotonicTime.now - start < .seconds(8))
            #expect(rig.creates() == 1)
        }
    }

    @Test func `an Idempotency-Key replays success and failure`() async throws {
        try await Rig.run { rig in
            let pictures = [SamplePictures.person, SamplePictures.garment]
            let first = try await EditForm(pictures).sent(to: rig.gateway, headers: [Self.key])
            #expect(first.status == 200 && first["Idempotent-Replayed"] == nil, "\(first.text)")
            let again = try await EditForm(pictures).sent(to: rig.gateway, headers: [Self.key])
            #expect(again["Idempotent-Replayed"] == "true" && again.body == first.body)
            let other = try await rig.gateway.edit(headers: [Self.key])
            #expect(other.status == 422 && Set(other.json.keys) == ["error"])
            let failing = ["Idempotency-Key: order-2"]
            let failed = try await rig.gateway.edit(instructions: #"{"outcome":"failed"}"#, headers: failing)
            let repeated = try await rig.gateway.edit(instructions: #"{"outcome":"failed"}"#, headers: failing)
            #expect(failed.status == 400 && repeated["Idempotent-Replayed"] == "true" && repeated.body == failed.body)
            #expect(rig.kling.tasks.count == 2)
        }
    }

    @Test func `a resend with the same key attaches to the unfinished job`() async throws {
        try await Rig.run(settings: Self.short) { rig in
            let instructions = #"{"seconds":3}"#
            let first = try await rig.gateway.edit(instructions: instructions, headers: [Self.key])
            #expect(first.status == 504, "\(first.text)")
            var last = first
            while last.status == 504 {
                last = try await rig.gateway.edit(instructions: instructions, headers: [Self.key])
            }
            #expect(last.status == 200, "\(last.text)")
            #expect(last.json["task_id"] as? String == first.error["task_id"] as? String)
            #expect(rig.kling.tasks.count == 1)
        }
    }

    @Test func `a failed account is a final error`() async throws {
        try await Rig.run { rig in
            try rig.fail("create:1102")
            let answer = try await rig.gateway.edit()
            #expect(answer.status == 503 && answer.isFinal, "\(answer.text)")
            #expect(answer.error["type"] as? String == "server_error")
        }
    }
}
