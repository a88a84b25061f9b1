import Base
import EventLoop
import Foundation
import HTTPServer
import TestKit
import Testing

/// What clients see when the gateway stops before their requests have arrived.
@Suite(.aFewAtATime) struct DrainingTests {
    /// Starts requests that never arrive completely, waits in `isTaken` until they are seen, and stops the gateway.
    /// - Returns: the clients' answers.
    private func answers(
        _ requests: [String], file: String = "shutdown: { grace: 2s }",
        _ isTaken: @escaping (Fixture) async throws -> Void
    ) async throws -> [RawClient.Answer?] {
        var answers: [RawClient.Answer?] = []
        try await Fixture.run(file: file) { (fixture) async throws in
            let port = fixture.gateway.port
            let clients = try await blocking { try requests.map { _ in try RawClient(port: port) } }
            try await blocking { for (client, request) in zip(clients, requests) { try client.send(request) } }
            try await isTaken(fixture)
            fixture.gateway.program.signal(SIGTERM)
            answers = try await blocking { try clients.map { try $0.readAnswer() } }
            #expect(try await fixture.gateway.program.end().status == 0)
            #expect(fixture.creates == 0)
        }
        return answers
    }

    private func expectRefusal(_ answer: RawClient.Answer?, _ location: SourceLocation = #_sourceLocation) throws {
        let answer = try #require(answer, "closed without an answer", sourceLocation: location)
        #expect(answer.status == 503 && answer.code == 5001, "\(answer.text)", sourceLocation: location)
        #expect(answer.error["code"] as? String == "shutting_down", sourceLocation: location)
        #expect((1...60).contains(answer["Retry-After"].flatMap { Int($0) } ?? 0), sourceLocation: location)
        #expect(answer["Connection"] == "close", sourceLocation: location)
        #expect(answer["X-Request-Id"]?.isEmpty == false, sourceLocation: location)
    }

    /// Waits until the gateway's metrics have this line.
    private func metric(_ line: String, _ fixture: Fixture) async throws {
        try await eventually(line) {
            let metrics = try await fixture.gateway.ask("GET", "/metrics", key: nil, admin: true)
            return metrics.text.contains("kling_gateway_\(line)\n")
        }
    }

    @Test func `a body that has not arrived when the grace ends is refused`() async throws {
        let head = Fixture.createHead(length: 1000)
        let all = try await answers([head + "{"]) { try await metric("connections_open 1", $0) }
        for answer in all { try expectRefusal(answer) }
    }

    @Test func `bodies that still wait for memory when the grace ends are refused`() async throws {
        let file = "{ shutdown: { grace: 2s }, limits: { body: 1MiB, buffered_bytes: 2MiB } }"
        let head = Fixture.createHead(length: 1 << 20)
        let all = try await answers([head, head], file: file) { try await metric("bodies_waiting 1", $0) }
        for answer in all { try expectRefusal(answer) }
    }

    @Test func `a head that has not arrived when the grace ends is refused`() async throws {
        let head = String(Fixture.createHead(length: 2).dropLast(4))
        let all = try await answers([head]) { try await metric("connections_open 1", $0) }
        for answer in all { try expectRefusal(answer) }
    }

    @Test func `a connection without a request is closed without an answer`() async throws {
        let all = try await answers([""]) { try await metric("connections_open 1", $0) }
        #expect(all.count == 1 && all[0] == nil)
    }

    // MARK: Everything in flight

    /// A receiver of callbacks that never answers.
    private final class Silent: HTTPResponder {
        let calls = Lock(0)

        func respond(to request: HTTPRequest) async -> HTTPResponse {
            calls.withLock { $0 += 1 }
            try? await Task.sleep(for: .seconds(3_600))
            return HTTPResponse(status: 200)
        }

        /// Runs `body` with a listening receiver and its URL.
        static func run(_ body: (Silent, String) async throws -> Void) async throws {
            let silent = Silent()
            try await LoopbackServer.run(silent) { try await body(silent, $0.url + "/") }
        }
    }

    @Test func `exchanges, detached creates and callbacks share one grace and resume after a restart`()
        async throws
    {
        let callbacks = "callbacks: { allow: [127.0.0.0/8] }\n"
        let settings = callbacks + "shutdown: { grace: 4s }"
        let hour = 3_600_000...3_600_000
        try await Silent.run { receiver, url in
            try await Rig.run(settings: settings, duration: hour) { rig in
                _ = try await rig.createdTask(#""callback_url":"\#(url)""#)
                try await eventually("a callback is under way") { receiver.calls.withLock { $0 } == 1 }
                try rig.fail("create:slow=60:1:1")
                let port = rig.gateway.port
                let (left, slow) = try await blocking { (try RawClient(port: port), try RawClient(port: port)) }
                try await blocking { try left.send(Fixture.create(Array(Fixture.body().utf8), [])) }
                try await eventually("Kling has made the second task") { rig.kling.tasks.count == 2 }
                left.reset()
                try await blocking { try slow.send(Fixture.createHead(length: 1000) + "{") }
                let start = MonotonicTime.now
                rig.gateway.program.signal(SIGTERM)
                #expect(try await rig.gateway.program.end().status == 0)
                // A separate grace for each of the three would take 12 s.
                #expect(MonotonicTime.now - start < .seconds(10))
                withExtendedLifetime(slow) {}
                try await rig.start(settings: callbacks + "shutdown: { grace: 0s }")
                try await eventually("the create that was cut off is found") { try await rig.listed().count == 2 }
                try await eventually("the callback comes again") { receiver.calls.withLock { $0 } > 1 }
                #expect(rig.kling.tasks.count == 2)
            }
        }
    }
}
