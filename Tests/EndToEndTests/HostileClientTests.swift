import Foundation
import KlingSimulator
import TestKit
import Testing

/// Clients that are malicious or leave at the wrong moment, against the whole gateway (RFC 9110, RFC 9112, RFC 8259).
@Suite(.aFewAtATime) struct HostileClientTests {
    // MARK: Bodies that need not be read

    @Test func `an upload that waits for 100 Continue is refused before any of it is sent`() async throws {
        try await Fixture.run(file: "limits: { body: 24MiB }") { fixture in
            let folder = fixture.gateway.folder
            let fits = try folder.write(String(repeating: "x", count: 20_000_000), to: "fits")
            let tooLarge = try folder.write(String(repeating: "x", count: 26_000_000), to: "too-large")
            for (file, key, expected) in [
                (fits, "sk-nobody's-key", "401 0"), (tooLarge, "sk-nobody's-key", "401 0"),
                (tooLarge, GatewayProcess.key, "413 0"),
            ] {
                let (written, messages) = try await upload(file, key: key, to: fixture)
                #expect(written == expected, "\(messages)")
                #expect(!messages.contains("HTTP/1.1 100"))
            }
            #expect(fixture.creates == 0)
        }
    }

    @Test func `an acceptable upload that waits for 100 Continue gets it`() async throws {
        try await Fixture.run { fixture in
            let note = String(repeating: "x", count: 300_000)
            let body = try fixture.gateway.folder.write(Fixture.body("\"note\":\"\(note)\""), to: "body")
            let (written, messages) = try await upload(body, key: GatewayProcess.key, to: fixture)
            #expect(written.hasPrefix("200 3"), "\(messages)")
            #expect(messages.contains("HTTP/1.1 100 Continue"))
        }
    }

    @Test func `a client that sends a large body with a bad key can still read its 401`() async throws {
        try await Fixture.run { fixture in
            let body = [UInt8](repeating: UInt8(ascii: "x"), count: 20_000_000)
            let head = Fixture.createHead(length: body.count, key: "sk-nobody's-key")
            let answer = try await fixture.exchange(Array(head.utf8) + body)
            #expect(answer.status == 401)
            #expect(answer["Connection"] == "close")
            #expect(fixture.creates == 0)
        }
    }

    // MARK: Methods

    @Test func `HEAD has the header fields of GET on every path, and no body`() async throws {
        try await Fixture.run { fixture in
            let task = Fixture.path + "/" + (try await fixture.createdTask())
            // From here on, queries return nothing new.
            #expect(try await fixture.gateway.ask("GET", task).status == 200)
            let paths = [
                Fixture.path, "/kling" + Fixture.path, task, "/kling" + task, Fixture.path + "/815", "/nothing",
            ]
            let all = paths.map { ($0, false) } + ["/healthz", "/readyz", "/metrics", "/nothing"].map { ($0, true) }
            for (path, admin) in all {
                let got = try await fixture.gateway.ask("GET", path, admin: admin)
                let port = admin ? fixture.gateway.adminPort : fixture.gateway.port
                let request =
                    "HEAD \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    + "Authorization: Bearer \(GatewayProcess.key)\r\n\r\n"
                let bytes = try await blocking {
                    let client = try RawClient(port: port)
                    try client.send(request)
                    return try client.readToEnd()
                }
                let parts = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n\r\n")
                #expect(parts.count == 2 && parts.last == "", "\(path): \(parts)")
                let lines = (parts.first ?? "").components(separatedBy: "\r\n")
                #expect(lines.first?.hasPrefix("HTTP/1.1 \(got.status) ") == true, "\(path): \(lines)")
                let names = lines.dropFirst().map { String($0.prefix { $0 != ":" }) }
                #expect(names == got.headers.map(\.name), "\(path)")
                if path != "/metrics" { #expect(lines.contains("Content-Length: \(got.body.count)"), "\(path)") }
            }
        }
    }

    @Test func `TRACE and CONNECT are refused without echoing the key`() async throws {
        try await Fixture.run { fixture in
            for admin in [false, true] {
                for line in ["TRACE \(Fixture.path)", "TRACE /healthz", "TRACE *", "CONNECT a.example:443"] {
                    let request =
                        "\(line) HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: sweet\r\n"
                        + "Authorization: Bearer \(GatewayProcess.key)\r\n\r\n"
                    let answer = try await fixture.exchange(Array(request.utf8), admin: admin)
                    #expect((400...499).contains(answer.status), "\(line)")
                    let all = answer.text + answer.headers.map { $0.name + $0.value }.joined()
                    #expect(!all.contains(GatewayProcess.key) && !all.contains("sweet"), "\(line)")
                }
            }
            #expect(fixture.callsToKling == 0)
        }
    }

    // MARK: Slow clients

    @Test func `a head and a body sent a byte a second are answered 408 at their deadlines`() async throws {
        try await Fixture.run { fixture in
            let port = fixture.gateway.port
            async let head = drip(["GET /"] + Array(repeating: "a", count: 60), port)
            async let body = drip([Fixture.createHead(length: 1000)] + Array(repeating: " ", count: 60), port)
            #expect(try await fixture.gateway.ask("GET", Fixture.path).status == 200)
            for answer in try await [head, body] {
                #expect(answer.status == 408)
                #expect(answer.code == 1200)
                #expect(answer["Connection"] == "close")
            }
            #expect(fixture.creates == 0)
        }
    }

    // MARK: Clients that leave

    @Test(arguments: [true, false])
    func `a client that leaves in the middle of its body leaves no trace`(politely: Bool) async throws {
        let file = "keys: [{ key: sk-one-task-at-a-time, tenant: slots, concurrency: 1 }]"
        try await Fixture.run(file: file, duration: 3_600_000...3_600_000) { fixture in
            let (port, key) = (fixture.gateway.port, "sk-one-task-at-a-time")
            let body = Fixture.body()
            let request =
                Fixture.createHead(length: body.utf8.count, key: key) + body.prefix(body.count / 2)
            try await blocking {
                let client = try RawClient(port: port)
                try client.send(request)
                guard politely else { return client.reset() }
                client.finish()
                let answer = try client.readAnswer()
                #expect(answer?.status == 400)
                #expect(answer?.code == 1200)
            }
            let line = try await fixture.gateway.program.errorLine {
                $0.contains("\"method\":\"POST\"") ? String($0) : nil
            }
            #expect(!line.contains("\"status\":\"408\""), "noticed only by the body's deadline: \(line)")
            #expect(fixture.creates == 0)
            #expect(try await fixture.gateway.ask("GET", Fixture.path, key: key).tasks.isEmpty)
            #expect(try await fixture.command(["tasks", "list"]).output == "")
            #expect(try await fixture.create(key: key).status == 200)
        }
    }

    @Test(arguments: [true, false])
    func `a client that leaves while Kling is working finds its task in the list`(politely: Bool) async throws {
        try await Fixture.run { fixture in
            try fixture.fail("create:slow=1")
            let port = fixture.gateway.port
            let body = Fixture.body(#""external_task_id":"left""#)
            var client: RawClient? = try await blocking {
                let client = try RawClient(port: port)
                try client.send(Fixture.create(Array(body.utf8)))
                return client
            }
            try await eventually("Kling has the create") { fixture.creates == 1 }
            if politely { client?.finish() } else { client?.reset() }
            client = nil
            try await eventually("the task is listed") {
                try await fixture.gateway.ask("GET", Fixture.path).tasks.count == 1
            }
            let found = try await fixture.gateway.ask("GET", Fixture.path + "/left")
            #expect(found.data["task_id"] as? String == fixture.kling.tasks.first?.id)
            #expect(fixture.creates == 1)
        }
    }

    // MARK: Helpers

    private func upload(
        _ file: String, key: String, to fixture: Fixture
    ) async throws -> (written: String, messages: String) {
        try await curl([
            "--expect100-timeout", "30", "-H", "Expect: 100-continue", "-H", "Content-Type: application/json",
            "-H", "Authorization: Bearer \(key)", "--data-binary", "@\(file)", "-o", "/dev/null",
            "-w", "%{http_code} %{size_upload}", "http://127.0.0.1:\(fixture.gateway.port)\(Fixture.path)",
        ])
    }

    /// Sends the next piece whenever a second has passed without an answer.
    private func drip(_ pieces: [String], _ port: UInt16) async throws -> RawClient.Answer {
        try await blocking {
            let client = try RawClient(port: port, receiveTimeout: 1)
            for piece in pieces {
                try client.send(piece)
                if let answer = try? client.readAnswer() { return answer }
            }
            throw TestKitError("there was no answer to \(pieces.count) pieces")
        }
    }
}
