import Base
import EventLoop
import Foundation
import HTTPServer
import TestKit

/// A server that records what it is sent.
final class Recorder: HTTPResponder {
    struct Received: Sendable {
        let method, path: String
        let body: [UInt8]

        /// The body as a JSON object.
        var json: [String: Any] { (try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]) ?? [:] }
    }

    private let all = Lock([Received]())
    private let answer: @Sendable (Received) -> String

    private init(_ answer: @escaping @Sendable (Received) -> String) { self.answer = answer }

    /// The POSTs, in the order in which they came.
    var posts: [Received] { all.withLock { $0 }.filter { $0.method == "POST" } }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        var body: [UInt8] = []
        if request.method == .post {
            guard let bytes = try? await request.body.collect(limit: 64 << 20, owner: "") else {
                return HTTPResponse(status: 400)
            }
            body = bytes.withUnsafeBytes { Array($0) }
        }
        let received = Received(method: request.method.rawValue, path: request.head.path, body: body)
        all.withLock { $0.append(received) }
        return HTTPResponse(status: 200, body: .bytes(Array(answer(received).utf8)))
    }

    /// Runs `body` with a listening server and its URL.
    /// - Parameter answer: returns the body of the answer.
    static func run(
        answering answer: @escaping @Sendable (Received) -> String = { _ in "" },
        _ body: (Recorder, String) async throws -> Void
    ) async throws {
        let recorder = Recorder(answer)
        try await LoopbackServer.run(recorder) { try await body(recorder, $0.url) }
    }

    /// A Kling that takes every create and never ends a task.
    static func kling(_ body: (Recorder, String) async throws -> Void) async throws {
        let task = #""task_id":"815","task_status":"submitted","created_at":1,"updated_at":1"#
        let one = #"{"code":0,"message":"SUCCEED","request_id":"r","data":{\#(task)}}"#
        let none = #"{"code":0,"message":"SUCCEED","request_id":"r","data":[]}"#
        try await run(
            answering: { $0.method == "GET" && $0.path.hasSuffix("try-on") ? none : one }, body)
    }
}
