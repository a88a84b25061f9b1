import Foundation
import HTTPServer
import Testing

@testable import Gateway

struct ErrorAnswerTests {
    /// No request is known to cause it, so it cannot be tested over a socket.
    @Test func `an internal fault reveals only the request's id`() throws {
        let answer = ErrorAnswer.response(to: .internalFault, shape: .kling, requestID: "the-id")
        #expect(answer.status == 500)
        #expect(answer.headers.contains { $0.name == "X-Request-Id" && $0.value == "the-id" })
        // OpenAI's SDKs know it in lower case only, and not if it is there twice.
        let retry = answer.headers.filter { $0.name.lowercased() == "x-should-retry" }
        #expect(retry.map(\.name) == ["x-should-retry"] && retry.map(\.value) == ["false"])
        #expect(!answer.headers.contains { $0.name == "Retry-After" })
        guard case .bytes(let body) = answer.body else { throw CocoaError(.coderInvalidValue) }
        let json = try #require(try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any])
        #expect(json["code"] as? Int == 5000 && json["request_id"] as? String == "the-id")
        let error = try #require(json["error"] as? [String: Any])
        #expect(error["type"] as? String == "server_error" && error["code"] as? String == "internal_error")
        #expect(error["message"] as? String == json["message"] as? String)
    }

    private func json(_ error: GatewayError, _ shape: Shape) throws -> [String: Any] {
        let answer = ErrorAnswer.response(to: error, shape: shape, requestID: "the-id")
        guard case .bytes(let body) = answer.body else { throw CocoaError(.coderInvalidValue) }
        return try #require(try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any])
    }

    @Test func `OpenAI's clients get only the error object`() throws {
        var error = GatewayError(.upstreamTimedOut, "Wait.", parameter: "image")
        error.taskID = "815"
        let body = try json(error, .openAI)
        #expect(Set(body.keys) == ["error"])
        let object = try #require(body["error"] as? [String: String])
        #expect(
            object == [
                "message": "Wait.", "type": "server_error", "param": "image", "code": "upstream_timeout",
                "task_id": "815",
            ])
    }

    @Test func `useapi's clients get a message and the status`() throws {
        let body = try json(GatewayError(.unknownTask, "None."), .useapi)
        #expect(Set(body.keys) == ["error", "code"])
        #expect(body["error"] as? String == "None." && body["code"] as? Int == 404)
    }
}
