import Base
import EventLoop
import Foundation
import HTTPServer
import KlingAPI
import TestKit
import Testing

/// Tasks with long answers, as from an upstream that puts the picture itself into `url`.
@Suite(.aFewAtATime) struct LongAnswerTests {
    private static let count = 60

    /// An upstream whose tasks have succeeded by the first query, each with a picture in its answer.
    private struct Upstream: HTTPResponder {
        let pictureLength: Int
        private let last = Lock(815_000_000_000_000_000)

        init(pictureLength: Int) { self.pictureLength = pictureLength }

        func respond(to request: HTTPRequest) async -> HTTPResponse {
            if request.method == .post {
                _ = try? await request.body.collect(limit: 1 << 20, owner: "gateway")
                let id = last.withLock {
                    $0 += 1
                    return $0
                }
                return answer(id, "submitted", "")
            }
            guard let id = Int(request.head.path.split(separator: "/").last ?? "") else {
                return HTTPResponse(
                    status: 200, body: .bytes(Envelope.success(requestID: "r", data: "[]".utf8)))
            }
            let picture = "data:image/png;base64," + String(repeating: "A", count: pictureLength)
            return answer(id, "succeed", #","task_result":{"images":[{"index":0,"url":"\#(picture)"}]}"#)
        }

        private func answer(_ id: Int, _ status: String, _ more: String) -> HTTPResponse {
            let task = #"{"task_id":"\#(id)","task_status":"\#(status)","created_at":1,"updated_at":1\#(more)}"#
            return HTTPResponse(status: 200, body: .bytes(Envelope.success(requestID: "r", data: task.utf8)))
        }
    }

    /// Runs `body` with a gateway, its memory before any task, and the ids of tasks that have ended.
    private func run(
        pictureLength: Int, environment: [String: String] = [:],
        _ body: @escaping (GatewayProcess, Int, [String]) async throws -> Void
    ) async throws {
        try await LoopbackServer.run(Upstream(pictureLength: pictureLength)) { upstream in
            let gateway = try await GatewayProcess(kling: upstream.url, environment: environment)
            let before = gateway.program.residentBytes ?? 0
            var ids: [String] = []
            for _ in 0..<Self.count { ids.append(try await gateway.create().createdTask()) }
            for id in ids { #expect(try await gateway.picture(of: id) == pictureLength) }
            try await body(gateway, before, ids)
            #expect(try await gateway.stop() == 0)
        }
    }

    @Test func `long answers are returned in full, in pages and one by one, and none stays in memory`() async throws {
        try await run(pictureLength: 1_000_000) { gateway, before, ids in
            for _ in 0..<2 {
                let page = try await gateway.ask("GET", Fixture.path + "?pageSize=\(Self.count)")
                #expect(page.status == 200)
                #expect(page.tasks.compactMap { $0["task_id"] as? String } == Array(ids.reversed()))
                #expect(page.tasks.allSatisfy { GatewayProcess.pictureLength($0) == 1_000_000 })
            }
            for id in ids { #expect(try await gateway.picture(of: id) == 1_000_000) }
            for start in stride(from: 0, to: Self.count, by: 20) {
                let asked = Array(ids[start..<start + 20])
                let answer = try await gateway.ask("GET", "/solutions?task_ids=" + asked.joined(separator: ","))
                #expect(answer.tasks.map { $0["id"] as? String } == asked)
                #expect(answer.tasks.allSatisfy { ($0["outputs"] as? [[String: Any]])?.count == 1 })
            }
            if let resident = gateway.program.residentBytes, let peak = gateway.program.peakBytes {
                #expect(resident - before < 50 << 20)
                // libpq has a second copy of what is read.
                #expect(peak - before < (TestStore.chosen == .sqlite ? 120 : 160) << 20)
            }
            let metrics = try await gateway.ask("GET", "/metrics", key: nil, admin: true).text
            #expect(metrics.contains("\nkling_gateway_body_bytes 0\n"))
        }
    }

    @Test func `a page too large for the memory is refused with advice to ask for a smaller one`() async throws {
        let file = try TemporaryFolder()
        let limits = try file.write("limits: { body: 8MiB, buffered_bytes: 16MiB }", to: "config.yaml")
        try await run(pictureLength: 500_000, environment: ["KLING_GATEWAY_CONFIG": limits]) { gateway, before, ids in
            let refused = try await gateway.ask("GET", Fixture.path + "?pageSize=\(Self.count)")
            #expect(refused.status == 503 && refused.error["code"] as? String == "overloaded")
            #expect((refused.error["message"] as? String)?.contains("smaller pageSize") == true)
            #expect(refused["Retry-After"] != nil)
            let page = try await gateway.ask("GET", Fixture.path + "?pageSize=10")
            #expect(page.tasks.compactMap { $0["task_id"] as? String } == Array(ids.reversed().prefix(10)))
        }
    }
}

extension GatewayProcess {
    /// The length of the picture in a task's answer; nil without one.
    fileprivate func picture(of id: String) async throws -> Int? {
        Self.pictureLength(try await ask("GET", Fixture.path + "/" + id).data)
    }

    fileprivate static func pictureLength(_ task: [String: Any]) -> Int? {
        let images = (task["task_result"] as? [String: Any])?["images"] as? [[String: Any]]
        return (images?.first?["url"] as? String).map { $0.utf8.count - "data:image/png;base64,".utf8.count }
    }
}
