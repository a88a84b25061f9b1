import Foundation
import TestKit
import Testing

/// Image edits with `stream`: Server-Sent Events.
@Suite(.aFewAtATime) struct EditEventTests {
    private static let comment = ": waiting"

    @Test func `a streamed edit has a comment at once, and then an event for each picture`() async throws {
        try await Fixture.run { fixture in
            let (head, blocks) = try await fixture.gateway.streamedEdit(
                #""n":2,"partial_images":3,"response_format":"url""#)
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.contains("\r\nX-Request-Id: "), "\(head)")
            #expect(head.contains("\r\nContent-Type: text/event-stream; charset=utf-8\r\n"), "\(head)")
            #expect(blocks.first == Self.comment && blocks.count == 3, "\(blocks.map { $0.prefix(100) })")
            for block in blocks.dropFirst() {
                let event = try #require(Self.data(block, of: "image_edit.completed"))
                let file = (event["b64_json"] as? String).flatMap { Data(base64Encoded: $0) } ?? Data()
                #expect(file.starts(with: [0x89, 0x50, 0x4E, 0x47]) && file.count > 1000)
                #expect(event["output_format"] as? String == "png")
                #expect(event["size"] as? String == "512x768")
                #expect(event["created_at"] is Int && event["task_id"] is String && event["url"] is String)
                let usage = event["usage"] as? [String: Any]
                #expect(usage?["total_tokens"] as? Int == 0)
            }
        }
    }

    @Test func `an error before the first byte is an ordinary error answer`() async throws {
        try await Fixture.run { fixture in
            for (more, key, status) in [
                (#""n":9,"#, GatewayProcess.key, 400), (#""response_format":"events","#, GatewayProcess.key, 400),
                ("", "sk-wrong", 401),
            ] {
                let answer = try await fixture.gateway.edit(#"\#(more)"stream":true"#, key: key)
                #expect(answer.status == status && Set(answer.json.keys) == ["error"], "\(answer.text)")
            }
            #expect(fixture.kling.tasks.isEmpty)
        }
    }

    @Test func `an error after the first byte is an event with the same object`() async throws {
        try await Fixture.run(file: "openai: { wait: 1s }") { fixture in
            let failing = #"{"outcome":"failed","message":"The garment cannot be seen"}"#
            for (instructions, code) in [(failing, "task_failed"), (#"{"seconds":60}"#, "task_unfinished")] {
                let (head, blocks) = try await fixture.gateway.streamedEdit(instructions: instructions)
                #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
                let data = Self.data(blocks.last ?? "", of: "error")
                let error = try #require(data?["error"] as? [String: Any], "\(blocks)")
                #expect(error["code"] as? String == code && error["task_id"] is String, "\(error)")
            }
        }
    }

    @Test func `comments come every ten seconds`() async throws {
        try await Fixture.run(duration: 10_500...10_500) { fixture in
            let (_, blocks) = try await fixture.gateway.streamedEdit()
            #expect(blocks.prefix(2) == [Self.comment, Self.comment] && blocks.count == 3)
            #expect(Self.data(blocks.last ?? "", of: "image_edit.completed") != nil)
        }
    }

    @Test func `a retry by an SDK attaches to the job whose stream was cut`() async throws {
        try await Fixture.run(duration: 1500...1500) { fixture in
            let request = GatewayProcess.streamedEditHead()
            try await blocking {
                let client = try RawClient(port: fixture.gateway.port)
                try client.send(request)
                #expect(client.waitForBytes(within: .seconds(20)))
                client.reset()
            }
            let (_, blocks) = try await fixture.gateway.streamedEdit(headers: ["x-stainless-retry-count: 1"])
            #expect(Self.data(blocks.last ?? "", of: "image_edit.completed") != nil, "\(blocks.map { $0.prefix(100) })")
            #expect(fixture.kling.tasks.count == 1)
        }
    }

    @Test func `a streamed edit is in flight until its client leaves`() async throws {
        func inFlight(_ gateway: GatewayProcess) async throws -> Int {
            let text = try await gateway.ask("GET", "/metrics", key: nil, admin: true).text
            return try #require(text.firstMatch(of: /requests_in_flight (\d+)/).flatMap { Int($0.output.1) })
        }
        try await Fixture.run { fixture in
            let client = try RawClient(port: fixture.gateway.port)
            try client.send(GatewayProcess.streamedEditHead(instructions: #"{"seconds":60}"#))
            #expect(try await blocking { client.waitForBytes(within: .seconds(20)) })
            #expect(try await inFlight(fixture.gateway) == 1)
            client.reset()
            try await eventually("it is over") { try await inFlight(fixture.gateway) == 0 }
        }
    }

    /// The data of an event; nil if it has another name.
    private static func data(_ block: String, of name: String) -> [String: Any]? {
        let start = "event: \(name)\ndata: "
        guard block.hasPrefix(start) else { return nil }
        return try? JSONSerialization.jsonObject(with: Data(block.dropFirst(start.count).utf8)) as? [String: Any]
    }
}

extension GatewayProcess {
    /// A request for a streamed edit, in HTTP/1.0 so that the answer is not chunked.
    static func streamedEditHead(_ more: String = "", instructions: String? = nil, headers: [String] = []) -> String {
        let body = EditJSON.body(#""stream":true"# + (more.isEmpty ? "" : ",") + more, instructions: instructions)
        return "POST \(EditForm.path) HTTP/1.0\r\nHost: gateway\r\nAuthorization: Bearer \(GatewayProcess.key)\r\n"
            + headers.map { $0 + "\r\n" }.joined() + "Content-Length: \(body.utf8.count)\r\n\r\n" + body
    }

    /// Sends a streamed edit, and returns the answer's head, and its body split at empty lines.
    func streamedEdit(
        _ more: String = "", instructions: String? = nil, headers: [String] = []
    ) async throws -> (head: String, blocks: [String]) {
        let request = Self.streamedEditHead(more, instructions: instructions, headers: headers)
        let text = try await blocking { [port] in
            let client = try RawClient(port: port)
            try client.send(request)
            return String(decoding: try client.readToEnd(), as: UTF8.self)
        }
        guard let end = text.range(of: "\r\n\r\n") else { throw TestKitError("no head: \(text)") }
        let blocks = text[end.upperBound...].components(separatedBy: "\n\n").filter { !$0.isEmpty }
        return (String(text[..<end.lowerBound]), blocks)
    }
}
